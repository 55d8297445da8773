/* SPDX-License-Identifier: ISC */
#include "policy/command.h"
#include "policy/environment.h"
#include "policy/program.h"

enum times { ONCE = 1, WORDS = POLICY_MAX_WORDS, LINES = POLICY_MAX_LINES, WRITES = POLICY_MAX_WRITES - 1,
	     LISTENS = POLICY_MAX_LISTEN }; /* so often at most */
enum shape { FORMAT, CHOICE, NUMBER, ACCOUNT, UMASK, PATH, SEARCH, COMMAND, ASSIGNMENT, KEEP, PROFILE, LIMIT, LISTEN };

struct key {
	char name[20]; /* not a pointer, which would be relocated at every start */
	enum times times;
	enum shape shape;
	int least, most;   /* of a NUMBER */
	const char *takes; /* in words, but for a CHOICE: the words themselves */
};

#define AN_ACCOUNT "a name of /etc/passwd or /etc/group, or a number without sign or leading zero"
#define A_PATH "an absolute path without empty, . or .. parts"
#define A_RANGE "SOFT or SOFT:HARD, numbers or unlimited, SOFT not above HARD"
#define A_LIMIT(name) {"limit_" name, ONCE, LIMIT, 0, 0, A_RANGE}

static const struct key keys[KEY_COUNT] = {
	[KEY_VERSION] = {"runas-app", ONCE, FORMAT, 0, 0, POLICY_FORMAT},
	[KEY_ALLOW_USERS] = {"allow_users", WORDS, ACCOUNT, 0, 0, AN_ACCOUNT},
	[KEY_ALLOW_GROUPS] = {"allow_groups", WORDS, ACCOUNT, 0, 0, AN_ACCOUNT},
	[KEY_USER] = {"user", ONCE, ACCOUNT, 0, 0, AN_ACCOUNT},
	[KEY_GROUP] = {"group", ONCE, ACCOUNT, 0, 0, AN_ACCOUNT},
	[KEY_GROUPS] = {"groups", WORDS, ACCOUNT, 0, 0, AN_ACCOUNT "; or none, alone"},
	[KEY_UMASK] = {"umask", ONCE, UMASK, 0, 0, "3 octal digits, or 4 of which the first is 0"},
	[KEY_DIRECTORY] = {"directory", ONCE, PATH, 0, 0, A_PATH},
	[KEY_DIRECTORY_BELOW] = {"directory_below", LINES, PATH, 0, 0, A_PATH},
	[KEY_HOME] = {"home", ONCE, PATH, 0, 0, A_PATH},
	[KEY_SHELL] = {"shell", ONCE, PATH, 0, 0, A_PATH},
	[KEY_PATH] = {"path", ONCE, SEARCH, 0, 0, "1 to 16 absolute directories, separated by :"},
	[KEY_COMMAND] = {"command", LINES, COMMAND, 0, 0, ""},
	[KEY_SERVE] = {"serve", LINES, COMMAND, 0, 0, ""},
	[KEY_LISTEN] = {"listen", LISTENS, LISTEN, 0, 0, "tcp ADDRESS:PORT, all numbers: tcp 0.0.0.0:80 or tcp [::]:80"},
	[KEY_ENV] = {"env", LINES, ASSIGNMENT, 0, 0, "NAME=value: no export, no quotes round the value"},
	[KEY_ENV_KEEP] = {"env_keep", WORDS, KEEP, 0, 0, "NAME, PREFIX_*, *, none or @systemd; "
			  "not what runas-app sets, nor what loaders and interpreters obey"},
	[KEY_ENV_FILE] = {"env_file", ONCE, PATH, 0, 0, A_PATH},
	[KEY_SYSCALLS] = {"syscalls", ONCE, PROFILE, 0, 0, "@SHIPPED, SITE, complain and one of these, or none"},
	[KEY_WRITE] = {"write", WRITES, PATH, 0, 0, A_PATH},
	[KEY_TMP] = {"tmp", ONCE, PATH, 0, 0, A_PATH},
	[KEY_WRITE_ENFORCE] = {"write_enforce", ONCE, CHOICE, 0, 0, "required|strict|best-effort"},
	[KEY_NICE] = {"nice", ONCE, NUMBER, -20, 19, "-20 to 19"},
	[KEY_OOM_SCORE_ADJ] = {"oom_score_adj", ONCE, NUMBER, -1000, 1000, "-1000 to 1000"},
	[KEY_KEEP_FDS] = {"keep_fds", WORDS, NUMBER, POLICY_FD_FIRST, POLICY_FD_LAST, "3 to 31"},
	[KEY_STDIO_CHOWN] = {"stdio_chown", ONCE, CHOICE, 0, 0, "yes|no"},
	[KEY_LOG] = {"log", ONCE, CHOICE, 0, 0, "syslog|required|none"},
	[KEY_LIMIT] = A_LIMIT("cpu"), A_LIMIT("fsize"), A_LIMIT("data"), A_LIMIT("stack"), A_LIMIT("core"),
	A_LIMIT("rss"), A_LIMIT("nproc"), A_LIMIT("nofile"), A_LIMIT("memlock"), A_LIMIT("as"), A_LIMIT("locks"),
	A_LIMIT("sigpending"), A_LIMIT("msgqueue"), A_LIMIT("nice"), A_LIMIT("rtprio"), A_LIMIT("rttime"),
};

const char *policy_key_name(enum policy_key key) { return keys[key].name; }

static bool is_search_path(struct text t) {
	size_t n = 0;
	/*@ loop invariant readable(t) && n <= POLICY_MAX_CANDIDATES;
	    loop assigns t, part, n;
	    loop variant left(t); */
	for (struct text part; text_field(&t, ":", &part);)
		if (!text_is_path(part) || ++n > POLICY_MAX_CANDIDATES)
			return false;
	return true;
}

static bool fits(const struct key *key, struct text t, struct problem *why) {
	struct plan_profile profile;
	struct policy_listen listen;
	uint64_t soft, hard, mask;
	int number;

	switch (key->shape) {
	case FORMAT:
		if (!text_is(t, POLICY_FORMAT) && text_number(t, UINT32_MAX, &hard) && hard > 0)
			return problem_about(why, "policy-version",
					     "this runas-app reads format " POLICY_FORMAT "; the policy is written for format", t,
					     "upgrade runas-app and runas-policy; or, where it needs nothing newer: runas-app = "
					     POLICY_FORMAT);
		return text_is(t, POLICY_FORMAT);
	case CHOICE: return text_is_choice(t, text_of(key->takes));
	case NUMBER: return policy_read_number(t, key->least, key->most, &number);
	case ACCOUNT: return text_is_account(t) || text_number(t, UINT32_MAX - 1, &hard);
	case UMASK: return text_umask(t, &mask);
	case PATH: return text_is_path(t);
	case SEARCH: return is_search_path(t);
	case COMMAND: return command_check(t, why);
	case ASSIGNMENT: return environment_is_assignment(t);
	case KEEP: return environment_is_keep_word(t);
	case PROFILE: return policy_read_profile(t, &profile);
	case LIMIT: return policy_read_limit(t, &soft, &hard);
	case LISTEN: return policy_read_listen(t, &listen);
	}
	return false;
}

static bool find_key(struct text name, enum policy_key *ret, struct problem *why) {
	/* Names that are not alike mostly differ in the last byte; limit_... all begin alike. */
	const bool can_be = name.length > 0 && name.length < sizeof(keys->name);
	/*@ loop invariant KEY_VERSION <= *ret <= KEY_COUNT;
	    loop assigns *ret;
	    loop variant KEY_COUNT - *ret; */
	for (*ret = KEY_VERSION; can_be && *ret < KEY_COUNT; (*ret)++)
		if (keys[*ret].name[name.length - 1] == name.at[name.length - 1] && text_is(name, keys[*ret].name))
			return true;
	return problem_about(why, "policy-key", "unknown key", name, "runas-app.conf(5) lists the keys");
}

static bool add_setting(struct policy *p, enum policy_key id, struct text value, unsigned line, struct problem *why) {
	const struct key *key = &keys[id];
	struct text rest = value;
	size_t same = 0;

	/*@ loop invariant same <= i <= p->count;
	    loop assigns i, same;
	    loop variant p->count - i; */
	for (size_t i = 0; i < p->count; i++)
		same += p->settings[i].key == id;
	if (key->times == ONCE && same > 0)
		return problem_about(why, "policy-twice", "is set twice:", text_of(key->name), NULL);
	if (same >= (size_t)key->times || p->count >= POLICY_MAX_SETTINGS)
		return problem_about(why, "policy-size", "too many values of", text_of(key->name), NULL);
	why->word = NULL; /* fits may know better what is wrong */
	if (!fits(key, value, why)) {
		text_until(&rest, ",");
		return why->word == NULL && problem_about(why, "policy-value", "not a value of this key:", value,
			key->times == WORDS && rest.length > 0 ? "separate with blanks, not commas" : key->takes);
	}
	p->settings[p->count++] = (struct setting){value, id, line};
	return true;
}

static bool add_words(struct policy *p, enum policy_key key, struct text words, unsigned line, struct problem *why) {
	/*@ loop invariant readable(words) && inside(words, \at(words, Pre)) &&
	      \at(p->count, Pre) <= p->count <= POLICY_MAX_SETTINGS;
	    loop invariant are_settings(p, \at(p->count, Pre), \at(words, Pre), line, line);
	    loop assigns words, word, p->settings[\at(p->count, Pre) .. POLICY_MAX_SETTINGS - 1], p->count, *why;
	    loop variant words.length; */
	for (struct text word; (word = text_word(&words)).length > 0;)
		if (!add_setting(p, key, word, line, why))
			return false;
	return true;
}

static bool parse_line(struct text line, unsigned number, struct policy *p, struct problem *why) {
	struct text rest = line;
	const struct text name = text_trim(text_until(&rest, "="));
	struct text value = text_trim(text_after(rest, 1));
	enum policy_key key;

	if (name.length > 0 ? name.at[0] == '#' : rest.length == 0)
		return true;
	if (rest.length == 0)
		return problem_about(why, "policy-syntax", "no = in this line:", name,
				     "KEY = VALUE, or a comment that starts with #");
	if (!find_key(name, &key, why))
		return false;
	if (value.length == 0)
		return problem_about(why, "policy-value", "no value for", name, "without the line it has its default");
	if ((p->count == 0) != (key == KEY_VERSION))
		return problem_about(why, "policy-version",
				     "the first setting, and only it, is the format version; found", name, "runas-app = 1");
	if (key == KEY_ENV) /* keeps the blanks at the end */
		value.length = (size_t)(line.at + line.length - value.at);
	return keys[key].times == WORDS ? add_words(p, key, value, number, why)
					: add_setting(p, key, value, number, why);
}

static bool check_bytes(struct text line, struct problem *why) {
	const bool is_printable = text_is_printable(line);
	if (line.length > POLICY_MAX_LINE)
		return problem_about(why, "policy-size", "line is longer than 4096 bytes", (struct text){0}, NULL);
	/*@ loop invariant byte.length == 1 && 0 <= byte.at - line.at <= line.length;
	    loop invariant byte.at == line.at + (byte.at - line.at);
	    loop assigns byte;
	    loop variant line.length - (byte.at - line.at); */
	for (struct text byte = {line.at, 1}; !is_printable && byte.at < line.at + line.length; byte.at++)
		if (!text_is_printable(byte) && byte.at[0] != '\t')
			return problem_about(why, "policy-syntax", "control character", byte,
				byte.at[0] == '\r' ? "carriage return; save it with Unix line ends: sed -i 's/\\r$//' FILE" : NULL);
	return true;
}

bool parse_policy(struct text bytes, struct policy *ret, struct problem *why) {
	struct text line;

	ret->count = 0;
	/*@ loop invariant readable(bytes) && inside(bytes, \at(bytes, Pre)) && ret->count <= POLICY_MAX_SETTINGS;
	    loop invariant are_settings(ret, 0, \at(bytes, Pre), 1, number - 1);
	    loop invariant 1 <= number && number + left(bytes) <= POLICY_MAX_BYTES + 2;
	    loop assigns bytes, line, number, *ret, *why;
	    loop variant left(bytes); */
	for (unsigned number = 1; text_field(&bytes, "\n", &line); number++)
		if (!check_bytes(line, why) || !parse_line(line, number, ret, why)) {
			why->line = number;
			return false;
		}
	return true;
}
