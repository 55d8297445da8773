/* SPDX-License-Identifier: ISC */
#include "companion/draft_text.h"

#include "companion/suggest.h"
#include "policy/environment.h"

#include <stdlib.h>
#include <string.h>

/* The pure code knows what is wrong; what was meant takes a comparison with all that could be. */
static void suggest(struct finding *finding, const struct problem *why) {
	static const char *const holes[] = {"int", "word", "path"};
	const bool is_key = strcmp(why->word, "policy-key") == 0, is_hole = strcmp(why->what, "unknown hole") == 0;
	struct text word = why->about, rest = why->about;
	struct suggestion near;

	if (is_hole)
		word = text_until(&rest, ":");
	near = suggest_for(word);
	for (enum policy_key key = KEY_VERSION; is_key && key < KEY_COUNT; key++)
		suggest_offer(&near, text_of(policy_key_name(key)));
	for (size_t i = 0; is_hole && i < sizeof holes / sizeof holes[0]; i++)
		suggest_offer(&near, text_of(holes[i]));
	if (is_key && text_starts(word, text_of("\xef\xbb\xbf"))) {
		free(finding->hint);
		finding->hint = output_format("save it without a byte order mark: sed -i '1s/^\\xef\\xbb\\xbf//' FILE");
		return;
	}
	if (near.best[0] == '\0')
		return;
	free(finding->hint);
	if (is_key)
		finding->hint = output_format("did you mean %s?", near.best);
	else
		finding->hint = output_format("did you mean {%s%s}?", near.best,
					      strcmp(near.best, "path") == 0 ? ":/DIRECTORY" : "");
}

/* Of two lines that say the same: the one above. */
static void name_first(struct finding *finding, const struct draft *draft, const struct problem *why) {
	const struct policy *p = &draft->policy;
	/* Of a key the problem has the name; of the others, what stands in the line. */
	const bool is_key = why->about.at < draft->bytes.at || why->about.at > draft->bytes.at + draft->bytes.length;
	const struct setting *first = p->settings;

	while (first < p->settings + p->count && first->line < why->line &&
	       !(is_key ? text_is(why->about, policy_key_name(first->key))
			: (first->key == KEY_ENV || first->key == KEY_LISTEN) &&
				  text_equal(environment_name(first->value), why->about)))
		first++;
	if (strcmp(why->word, "policy-twice") != 0 || first == p->settings + p->count || first->line >= why->line)
		return;
	free(finding->hint);
	finding->hint = output_format("line %u has it already", first->line);
}

/* People quote what a shell would want quoted. */
static void unquote(struct finding *finding, const struct problem *why) {
	struct text bare = why->about;
	char *hint = finding->hint;

	if (hint == NULL || strcmp(why->what, "not a value of this key:") != 0 || bare.length < 3 ||
	    bare.at[0] != '"' || bare.at[bare.length - 1] != '"')
		return;
	finding->hint = output_format("without the quotes; %s", hint);
	free(hint);
}

/* One word about all of them, and the copy goes on with blanks. false: there is no more than one, which is said as such. */
static bool take_returns(struct draft *draft, char *copy, struct findings *findings) {
	struct text rest = draft->bytes, line;
	unsigned count = 0, first = 0;

	for (unsigned number = 1; text_field(&rest, "\n", &line); number++)
		if (line.length > 0 && line.at[line.length - 1] == '\r' && count++ == 0)
			first = number;
	if (count < 2)
		return false;
	rest = draft->bytes;
	while (text_field(&rest, "\n", &line))
		if (line.length > 0 && line.at[line.length - 1] == '\r')
			copy[line.at + line.length - 1 - draft->bytes.at] = ' ';
	finding_place(findings_add(findings, FINDING_ERROR, draft->path, "policy-syntax",
				   "save it with Unix line ends: dos2unix FILE, or sed -i 's/\\r$//' FILE",
				   "%u lines end in a carriage return, as on Windows", count),
		      draft->bytes, first, (struct text){0});
	return true;
}

static struct text row_of(struct text bytes, unsigned line) {
	struct text row = {0};

	for (unsigned i = 0; i < line && text_field(&bytes, "\n", &row); i++)
		;
	return row;
}

/* What is in that line of the copy, as a range of the original, whose lines have the same numbers and more bytes. */
static struct text original(struct text part, struct text copy, struct text bytes, unsigned line) {
	const struct text row = row_of(copy, line), same = row_of(bytes, line);

	if (part.length > 0 && part.at >= row.at && part.at + part.length <= row.at + row.length)
		part.at = same.at + (part.at - row.at);
	return part;
}

/* Of a line that is said to miss another one: was that one there, and taken out because it is wrong itself? */
static bool is_consequence(const struct problem *why, const bool removed[KEY_COUNT]) {
	static const struct {
		const char *what;
		enum policy_key missed;
	} known[] = {
		{"no command would get this socket:", KEY_SERVE},
		{"without `listen` there is nothing to serve on:", KEY_LISTEN},
		{"there is no `write` or `tmp` to enforce:", KEY_WRITE},
		{"there is no `write` or `tmp` to enforce:", KEY_TMP},
	};

	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
		if (strcmp(why->what, known[i].what) == 0 && removed[known[i].missed])
			return true;
	return false;
}

/* What such a policy says further on is not ours to judge. */
static bool is_of_newer_format(const struct problem *why) {
	uint64_t format;

	return strcmp(why->word, "policy-version") == 0 && text_number(why->about, UINT32_MAX, &format);
}

static void remember(struct text row, bool removed[KEY_COUNT]) {
	const struct text name = text_trim(text_until(&row, "="));

	for (enum policy_key key = KEY_VERSION; key < KEY_COUNT; key++)
		removed[key] = removed[key] || text_is(name, policy_key_name(key));
}

/* The pure code stops at the first problem; so each line that has one is taken out, and the rest is asked again. */
void draft_text_read(struct draft *draft, struct findings *findings) {
	static const char version[] = "runas-app = 1";
	enum { MOST = 100 };
	size_t rounds = 0;
	const size_t length = draft->bytes.length, from = findings->count;
	char *copy = output_memory(malloc(length + sizeof version));
	struct text left = {copy, length};
	bool is_parsed, has_ours = false, has_returns, removed[KEY_COUNT] = {false};
	struct problem why;

	memcpy(copy, draft->bytes.at, length + 1);
	has_returns = take_returns(draft, copy, findings);
	draft->is_valid = true;
	for (; rounds < MOST; rounds++) {
		struct finding *finding;
		struct text row;
		bool is_first;
		size_t behind;
		char *at;

		why = (struct problem){0};
		is_parsed = parse_policy(left, &draft->policy, &why);
		if (is_parsed && check_policy(&draft->policy, &why))
			break;
		/* Of a text without some of its lines, what is said about the whole may be wrong. */
		if (why.line == 0 && !draft->is_valid)
			break;
		draft->is_valid = false;
		why.about = original(why.about, left, draft->bytes, why.line);
		if (!is_consequence(&why, removed) &&
		    !(has_ours && strcmp(why.word, "policy-version") == 0 && text_is(why.about, "runas-app"))) {
			finding = findings_problem(findings, FINDING_ERROR, draft->path, draft->bytes, &why);
			suggest(finding, &why);
			name_first(finding, draft, &why);
			unquote(finding, &why);
		}
		if (why.line == 0 || is_of_newer_format(&why))
			break;
		row = row_of(left, why.line);
		remember(row, removed);
		/* Without a first line every other one would be wrong. */
		is_first = !is_parsed && draft->policy.count == 0 && !has_ours;
		has_ours = has_ours || is_first;
		at = copy + (row.at - copy);
		behind = (size_t)(copy + left.length - (row.at + row.length));
		memmove(at + (is_first ? strlen(version) : 0), row.at + row.length, behind);
		memcpy(at, version, is_first ? strlen(version) : 0);
		left.length += (is_first ? strlen(version) : 0) - row.length;
	}
	free(copy);
	draft->is_valid = draft->is_valid && !has_returns;
	findings_sort(findings, from);
	if (rounds == MOST)
		findings_add(findings, FINDING_ERROR, draft->path, "policy-size", NULL,
			     "more than %d errors; the rest is not shown", MOST);
	if (draft->is_valid && parse_policy(draft->bytes, &draft->policy, &why))
		draft->is_valid = check_policy(&draft->policy, &why);
}
