/* SPDX-License-Identifier: ISC */
#include "policy/request.h"

static bool usage(struct problem *why, const char *what, struct text about) {
	return problem_about(why, "usage", what, about, "runas-app APP [--] COMMAND [ARG...]; or --help, --version");
}

bool request_parse(int argc, char *const *argv, struct request *ret, struct problem *why) {
	int at = 2;

	if (argc < 2)
		return usage(why, "an app and a command are needed", (struct text){0});
	*ret = (struct request){.app = text_of(argv[1])};
	if (argc == 2 && (text_is(ret->app, "--help") || text_is(ret->app, "--version"))) {
		ret->kind = text_is(ret->app, "--help") ? REQUEST_HELP : REQUEST_VERSION;
		return true;
	}
	if (!text_is_app(ret->app)) {
		usage(why, "not an app name:", ret->app);
		ret->app = (struct text){0};
		return false;
	}
	if (argc > 2 && text_is(text_of(argv[2]), "--"))
		at = 3;
	else if (argc > 2 && text_starts(text_of(argv[2]), text_of("-")))
		return usage(why, "no such option:", text_of(argv[2]));
	if (at >= argc || argv[at][0] == '\0')
		return usage(why, "a command is needed", (struct text){0});
	ret->command = argv + at;
	ret->words = (size_t)(argc - at);
	return true;
}
