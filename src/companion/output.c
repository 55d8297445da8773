/* SPDX-License-Identifier: ISC */
#include "companion/output.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char *output_colour(FILE *stream, enum output_colour colour) {
	static const char *const codes[] = {"\033[0m", "\033[31m", "\033[33m", "\033[32m", "\033[1m", "\033[2m"};
	const char *no = getenv("NO_COLOR"), *terminal = getenv("TERM");
	const bool is_wanted = (no == NULL || no[0] == '\0') && isatty(fileno(stream)) &&
			       (terminal == NULL || strcmp(terminal, "dumb") != 0);

	return is_wanted ? codes[colour] : "";
}

int output_fail(const char *hint, const char *format, ...) {
	const int error = errno; /* for %m */
	va_list arguments;

	fflush(stdout); /* both may go to one place, and then in this order */
	fprintf(stderr, "%srunas-policy:%s ", output_colour(stderr, OUTPUT_RED), output_colour(stderr, OUTPUT_NONE));
	va_start(arguments, format);
	errno = error;
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fputc('\n', stderr);
	if (hint != NULL)
		fprintf(stderr, "hint: %s\n", hint);
	return OUTPUT_USAGE;
}

void *output_memory(void *bytes_or_null) {
	if (bytes_or_null == NULL) {
		output_fail(NULL, "out of memory");
		exit(OUTPUT_USAGE);
	}
	return bytes_or_null;
}

char *output_vformat(const char *format, va_list arguments) {
	char *text = NULL;

	return output_memory(vasprintf(&text, format, arguments) < 0 ? NULL : text);
}

char *output_format(const char *format, ...) {
	va_list arguments;
	char *text;

	va_start(arguments, format);
	text = output_vformat(format, arguments);
	va_end(arguments);
	return text;
}

/* The length of the well-formed UTF-8 sequence that starts here; 0: none does. jansson is the judge. */
static size_t sequence(const char *at, size_t left) {
	for (size_t length = 1; length <= 4 && length <= left; length++) {
		json_t *one = json_stringn(at, length);

		if (one != NULL) {
			json_decref(one);
			return length;
		}
	}
	return 0;
}

/* Without width, or turning the direction of what follows (CVE-2021-42574): U+200B-F, U+2028-E, U+2060-F, U+FEFF. */
static bool is_unseen(const unsigned char at[3]) {
	const unsigned last = at[2];

	if (at[0] == 0xe2 && at[1] == 0x80)
		return (last >= 0x8b && last <= 0x8f) || (last >= 0xa8 && last <= 0xae);
	return (at[0] == 0xe2 && at[1] == 0x81 && last >= 0xa0 && last <= 0xaf) ||
	       (at[0] == 0xef && at[1] == 0xbb && last == 0xbf);
}

char *output_escaped(const char *bytes, size_t length) {
	char *text = output_memory(malloc(4 * length + 1)), *to = text;

	for (size_t i = 0; bytes != NULL && i < length;) {
		const unsigned char byte = (unsigned char)bytes[i];
		size_t whole = byte < 0x20 || byte == 0x7f ? 0 : sequence(bytes + i, length - i);

		/* C1 controls are two bytes of UTF-8, and some terminals obey them. */
		if (whole == 2 && byte == 0xc2 && (unsigned char)bytes[i + 1] < 0xa0)
			whole = 0;
		if (whole == 3 && is_unseen((const unsigned char *)bytes + i))
			whole = 0;
		if (whole == 0) {
			to += sprintf(to, "\\%03o", byte);
			i++;
		} else {
			memcpy(to, bytes + i, whole);
			to += whole;
			i += whole;
		}
	}
	*to = '\0';
	return text;
}

int output_directory(const char *path) {
	if (mkdir(path, 0777) != 0 && errno != EEXIST)
		return -1;
	return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

json_t *output_json_text(const char *bytes, size_t length) {
	char *text;
	json_t *ret = json_stringn(bytes == NULL ? "" : bytes, length);

	if (ret != NULL)
		return ret;
	text = output_escaped(bytes, length);
	ret = json_string(text);
	free(text);
	return output_memory(ret);
}

int output_done(int status) {
	errno = 0;
	if (fflush(stdout) == 0 && !ferror(stdout))
		return status;
	clearerr(stdout); /* said once */
	return errno == 0 ? output_fail(NULL, "cannot write to standard output")
			  : output_fail(NULL, "cannot write to standard output: %m");
}

void output_append(json_t *list, json_t *one) {
	output_memory(json_array_append_new(list, output_memory(one)) == 0 ? list : NULL);
}

bool output_json(json_t *document) {
	/* jansson gives up where the stream does, and then it says so to output_done. */
	if (json_dumpf(output_memory(document), stdout, JSON_INDENT(2)) == 0)
		putchar('\n');
	json_decref(document);
	return output_done(0) == 0;
}

static const struct output_option *find(const struct output_option *own, size_t count, const char *name,
					size_t length) {
	for (size_t i = 0; i < count; i++)
		if (strlen(own[i].name) == length && strncmp(own[i].name, name, length) == 0)
			return &own[i];
	return NULL;
}

bool options_read(const char *verb, int argc, char **argv, const struct output_option *own, size_t count, bool has_json,
		  bool has_command, struct options *ret, int *ret_status) {
	const char *root = NULL;
	bool json = false;
	const struct output_option common[] = {{"root", &root, NULL}, {"json", NULL, &json}};
	char *hint = output_format("runas-policy %s --help", verb);
	int left = 0;

	*ret = (struct options){.argv = argv};
	*ret_status = OUTPUT_USAGE;
	for (int i = 0; i < argc; i++) {
		const char *name = argv[i] + 2, *equals;
		const struct output_option *option;

		if (has_command && strcmp(argv[i], "--") == 0) {
			ret->command = argv + i + 1;
			break;
		}
		if (argv[i][0] != '-' || argv[i][1] == '\0') {
			argv[left++] = argv[i];
			continue;
		}
		equals = strchrnul(argv[i], '=');
		option = argv[i][1] == '-' ? find(common, 1 + (size_t)has_json, name, (size_t)(equals - name)) : NULL;
		if (option == NULL && argv[i][1] == '-')
			option = find(own, count, name, (size_t)(equals - name));
		if (option == NULL || (option->value == NULL && *equals != '\0')) {
			output_fail(hint, "%s: no such option: %s", verb, argv[i]);
			goto out;
		}
		if (option->value == NULL) {
			*option->flag = true;
		} else if (*equals != '\0') {
			*option->value = equals + 1;
		} else if (i + 1 < argc) {
			*option->value = argv[++i];
		} else {
			output_fail(hint, "%s: %s needs an argument", verb, argv[i]);
			goto out;
		}
	}
	ret->argc = left;
	ret->json = json;
	if (!image_open(&ret->image, root)) {
		output_fail("--root is the top directory of an image", "%s: %m", root);
		goto out;
	}
	*ret_status = 0;
out:
	free(hint);
	return *ret_status == 0;
}
