/* SPDX-License-Identifier: ISC */
#include "policy/command.h"

static bool usage(struct problem *why, const char *what, struct text about) {
	return problem_about(why, "usage", what, about, "runas-app APP [--] COMMAND [ARG...]; or --help, --version");
}

bool request_parse(int argc, char *const *argv, struct request *ret, struct problem *why) {
	const struct text app = argc > 1 ? text_of(argv[1]) : (struct text){0};
	const struct text next = argc > 2 ? text_of(argv[2]) : (struct text){0};
	const int at = text_is(next, "--") ? 3 : 2;

	*ret = (struct request){0};
	if (argc < 2)
		return usage(why, "an app and a command are needed", app);
	if (argc == 2 && text_is_choice(app, text_of("--help|--version"))) {
		ret->kind = text_is(app, "--help") ? REQUEST_HELP : REQUEST_VERSION;
		return true;
	}
	if (!text_is_app(app))
		return usage(why, "not an app name:", app);
	ret->app = app;
	if (at == 2 && text_starts(next, text_of("-")))
		return usage(why, "no such option:", next);
	if (at >= argc || argv[at][0] == '\0')
		return usage(why, "a command is needed", (struct text){0});
	ret->command = argv + at;
	ret->words = (size_t)(argc - at);
	return true;
}
