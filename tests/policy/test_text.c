/* SPDX-License-Identifier: ISC */
/* Byte ranges, the one reader of numbers, and bounded writing. */
#include "tests/policy/given.h"

#include <stdint.h>

TestSuite(text, .timeout = 20);

struct shape_case {
	const char *words;
	bool fits;
};

static void expect_shape(bool (*is)(struct text), const char *name, const struct shape_case *cases, size_t count) {
	for (size_t i = 0; i < count; i++)
		cr_expect(is(given(cases[i].words)) == cases[i].fits, "%s(\"%s\") is %s", name, cases[i].words,
			  cases[i].fits ? "false" : "true");
}

/* No character but the listed ones, at the start and behind it; NUL and bytes above 0x7f among them. */
static void expect_alphabet(bool (*is)(struct text), const char *name, const char *first, const char *rest) {
	for (unsigned c = 0; c < 256; c++) {
		const char start[] = {(char)c}, behind[] = {'a', (char)c};

		cr_expect(is(given_bytes(start, 1)) == (c != 0 && strchr(first, (int)c) != NULL),
			  "%s of the one byte 0x%02x", name, c);
		cr_expect(is(given_bytes(behind, 2)) == (c != 0 && strchr(rest, (int)c) != NULL),
			  "%s of a and the byte 0x%02x", name, c);
	}
	cr_expect(!is((struct text){0}), "%s of nothing", name);
}

#define LOWER "abcdefghijklmnopqrstuvwxyz"
#define LETTERS LOWER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"

/* Attack B1. */
Test(text, numbers_are_digits_without_sign_blank_or_leading_zero) {
	static const char *const refused[] = {
		"",
		"-1",
		"+1",
		" 1",
		"1 ",
		"1\n",
		"\t1",
		"0x1000",
		"01000",
		"00",
		"1e3",
		"1_000",
		"1,000",
		"1.0",
		"4294967295",
		"4294967296",
		"18446744073709551615",
		"18446744073709551616",
		"99999999999999999999999999",
		"\xd9\xa1",
		"\xef\xbc\x91",
		"12a",
		"a12",
		"--1",
		"unlimited",
	};
	uint64_t number;

	for (size_t i = 0; i < COUNT(refused); i++)
		cr_expect(!text_number(given(refused[i]), UINT32_MAX - 1, &number), "\"%s\"", refused[i]);
	cr_expect(!text_number(given_bytes("1\0", 2), UINT32_MAX - 1, &number), "a NUL behind the digit");
	cr_expect(!text_number(given_bytes("\0", 1), UINT32_MAX - 1, &number), "a NUL");
}

Test(text, numbers_up_to_the_named_one) {
	static const struct {
		const char *words;
		uint64_t most, number;
	} cases[] = {
		{"0", 0, 0},
		{"1", UINT32_MAX, 1},
		{"65535", 65535, 65535},
		{"4294967294", UINT32_MAX - 1, 4294967294},
		{"4294967295", UINT32_MAX, 4294967295},
		{"9223372036854775807", INT64_MAX, INT64_MAX},
		{"9999999999999999999", UINT64_MAX, 9999999999999999999u},
	};
	uint64_t number;

	for (size_t i = 0; i < COUNT(cases); i++) {
		number = ~cases[i].number;
		cr_expect(text_number(given(cases[i].words), cases[i].most, &number), "%s", cases[i].words);
		cr_expect(number == cases[i].number, "%s", cases[i].words);
		if (cases[i].most > 0 && cases[i].most == cases[i].number)
			cr_expect(!text_number(given(cases[i].words), cases[i].most - 1, &number), "%s",
				  cases[i].words);
	}
}

Test(text, umasks_are_three_or_four_octal_digits) {
	static const struct {
		const char *words;
		int mask;
	} cases[] = {
		{"000", 0},   {"027", 027}, {"0027", 027}, {"777", 0777}, {"0777", 0777}, {"77", -1},
		{"07", -1},   {"0", -1},    {"", -1},	   {"1027", -1},  {"00027", -1},  {"028", -1},
		{"0o27", -1}, {" 027", -1}, {"027 ", -1},  {"-27", -1},	  {"u=rwx", -1},  {"7777", -1},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		uint64_t mask = 0xffff;
		bool fits = text_umask(given(cases[i].words), &mask);

		cr_expect(fits == (cases[i].mask >= 0), "\"%s\"", cases[i].words);
		cr_expect(!fits || (int)mask == cases[i].mask, "\"%s\"", cases[i].words);
	}
}

Test(text, app_names) {
	static const struct shape_case cases[] = {
		{"a", true},
		{"rails-app", true},
		{"a_b-c9", true},
		{"abcdefghijklmnopqrstuvwxyz01234", true},
		{"abcdefghijklmnopqrstuvwxyz012345", false},
		{"A", false},
		{"9a", false},
		{"-a", false},
		{"_a", false},
		{".", false},
		{"..", false},
		{"../x", false},
		{"a/b", false},
		{"a.conf", false},
		{"a~", false},
		{"a b", false},
		{"a\n", false},
		{"%00", false},
	};

	expect_shape(text_is_app, "text_is_app", cases, COUNT(cases));
	expect_alphabet(text_is_app, "text_is_app", LOWER, LOWER DIGITS "_-");
	cr_expect(!text_is_app(given_times("a", 300)));
	cr_expect(!text_is_app(given_bytes("a\0b", 3)));
}

Test(text, account_names) {
	static const struct shape_case cases[] = {
		{"root", true}, {"www-data", true}, {"_apt", true},  {"Debian-exim", true}, {"first.last", true},
		{"+", false},	{"-", false},	    {"+nis", false}, {"-neg", false},	    {"+@netgroup", false},
		{"", false},	{"a+", false},	    {"1a", false},   {"a:b", false},	    {" a", false},
		{"a ", false},	{"pc$", false},	    {".a", false},
	};

	expect_shape(text_is_account, "text_is_account", cases, COUNT(cases));
	expect_alphabet(text_is_account, "text_is_account", LETTERS "_", LETTERS DIGITS "_.-");
	cr_expect(text_is_account(given_times("a", 32)));
	cr_expect(!text_is_account(given_times("a", 33)));
	cr_expect(!text_is_account(given_times("a", 70000)));
}

Test(text, variable_names) {
	static const struct shape_case cases[] = {
		{"A", true},	{"_", true},	{"lower_9", true},	  {"9A", false},
		{"A-B", false}, {"A.B", false}, {"BASH_FUNC_x%%", false}, {"A ", false},
		{"A=", false},
	};

	expect_shape(text_is_variable, "text_is_variable", cases, COUNT(cases));
	expect_alphabet(text_is_variable, "text_is_variable", LETTERS "_", LETTERS DIGITS "_");
	cr_expect(text_is_variable(given_times("A", 256)));
	cr_expect(!text_is_variable(given_times("A", 257)));
}

Test(text, words_never_start_as_an_option_or_a_path) {
	static const struct shape_case cases[] = {
		{"db:migrate", true}, {"a=b", true},   {"user@host", true}, {"1.2,3", true},	{"_x", true},
		{"50%", true},	      {"c++", true},   {"-x", false},	    {"--force", false}, {"/etc", false},
		{"a/b", false},	      {".", false},    {"..", false},	    {"a b", false},	{"a;b", false},
		{"$x", false},	      {"`id`", false}, {"@a", false},	    {"%a", false},	{"=", false},
		{"a\nb", false},      {"a*", false},   {"~", false},
	};

	expect_shape(text_is_word, "text_is_word", cases, COUNT(cases));
	expect_alphabet(text_is_word, "text_is_word", LETTERS DIGITS "_", LETTERS DIGITS "_.,:@%+=-");
}

Test(text, digits_of_a_bounded_count) {
	cr_expect(text_is_digits(given("0"), 10));
	cr_expect(text_is_digits(given("0123456789"), 10));
	cr_expect(!text_is_digits(given("01234567890"), 10));
	cr_expect(!text_is_digits(given(""), 10));
	cr_expect(!text_is_digits(given("-1"), 10));
	cr_expect(!text_is_digits(given("1 "), 10));
	cr_expect(!text_is_digits(given_bytes("1\0", 2), 10));
}

Test(text, printable_has_no_control_character) {
	for (unsigned c = 0; c < 256; c++) {
		const char bytes[] = {'a', (char)c, 'b'};

		cr_expect(text_is_printable(given_bytes(bytes, 3)) == (c >= 0x20 && c != 0x7f), "0x%02x", c);
	}
	cr_expect(text_is_printable((struct text){0}));
}

Test(text, paths_are_absolute_and_plain) {
	static const struct shape_case cases[] = {
		{"/", true},	  {"/a", true},	     {"/srv/my app/x", true}, {"/...", true},
		{"/.a", true},	  {"/a..", true},    {"/..a/b", true},	      {"", false},
		{"a", false},	  {"./a", false},    {"../a", false},	      {"//", false},
		{"//a", false},	  {"/a//b", false},  {"/a/", false},	      {"/.", false},
		{"/..", false},	  {"/a/.", false},   {"/a/..", false},	      {"/./a", false},
		{"/../a", false}, {"/a/./b", false}, {"/a/../b", false},      {"/a\nb", false},
		{"/a\tb", false}, {"~/a", false},    {" /a", false},
	};

	expect_shape(text_is_path, "text_is_path", cases, COUNT(cases));
	cr_expect(!text_is_path((struct text){0}));
	cr_expect(!text_is_path(given_bytes("/a\0b", 4)), "a NUL");
	cr_expect(text_is_path(given_joined(given("/"), given_times("a", 4094))), "4095 bytes");
	cr_expect(!text_is_path(given_joined(given("/"), given_times("a", 4095))), "4096 bytes");
}

Test(text, below_goes_by_whole_components) {
	static const struct {
		const char *path, *base;
		bool is_below;
	} cases[] = {
		{"/srv/app", "/srv/app", true},
		{"/srv/app/x", "/srv/app", true},
		{"/srv/app2", "/srv/app", false},
		{"/srv/ap", "/srv/app", false},
		{"/srv", "/srv/app", false},
		{"/", "/srv", false},
		{"/srv", "/", true},
		{"/", "/", true},
		{"/var/www2/x", "/var/www", false},
		{"/SRV/app", "/srv/app", false},
	};

	for (size_t i = 0; i < COUNT(cases); i++)
		cr_expect(text_is_below(given(cases[i].path), given(cases[i].base)) == cases[i].is_below, "%s below %s",
			  cases[i].path, cases[i].base);
}

Test(text, comparing) {
	cr_expect(text_equal(given("ab"), given("ab")));
	cr_expect(!text_equal(given("ab"), given("abc")));
	cr_expect(!text_equal(given("ab"), given("ac")));
	cr_expect(text_equal((struct text){0}, given("")));
	cr_expect(!text_equal(given_bytes("a\0b", 3), given_bytes("a\0c", 3)), "a NUL ends nothing");
	cr_expect(!text_is(given_bytes("a\0", 2), "a"));
	cr_expect(text_starts(given("abc"), given("ab")));
	cr_expect(text_starts(given("abc"), given("")));
	cr_expect(!text_starts(given("ab"), given("abc")));
	cr_expect(!text_starts(given("xbc"), given("ab")));
}

Test(text, cutting) {
	struct text rest = given(" \t one  two\t"), part;

	given_expect_text(text_word(&rest), "one", "first word");
	given_expect_text(text_word(&rest), "two", "second word");
	given_expect_text(text_word(&rest), "", "after the last word");
	rest = (struct text){0};
	given_expect_text(text_word(&rest), "", "word of nothing");
	given_expect_text(text_trim(given("\t a b \t")), "a b", "trimmed");
	given_expect_text(text_trim(given(" \t ")), "", "only blanks");
	given_expect_text(text_trim(given("\na\r")), "\na\r", "only blanks and tabs are cut");
	rest = given("a=b=c");
	part = text_until(&rest, "=");
	given_expect_text(part, "a", "until");
	given_expect_text(rest, "=b=c", "the stop stays");
	given_expect_text(text_until(&rest, "="), "", "at a stop");
	rest = given("abc");
	given_expect_text(text_until(&rest, "=;"), "abc", "without a stop");
	cr_expect(rest.length == 0);
	rest = given_bytes("a\0b", 3);
	part = text_until(&rest, "b");
	cr_expect(part.length == 2, "a NUL is no stop");
	given_expect_text(text_after(given("abc"), 1), "bc", "after one");
	cr_expect(text_after(given("abc"), 3).length == 0);
	cr_expect(text_after(given("abc"), 99).length == 0);
	cr_expect(text_after((struct text){0}, 0).length == 0);
}

Test(text, a_sink_never_writes_past_its_size) {
	for (size_t size = 0; size <= 12; size++) {
		struct sink s = {.at = given_room(size), .size = size};

		sink_number(&s, "abc", 4294967295u);
		cr_expect(s.used == size, "%zu used of %zu", s.used, size);
		cr_expect(s.full, "13 bytes do not fit %zu", size);
		cr_expect(memcmp("abc4294967295", s.at, size) == 0);
	}
	struct sink exact = {.at = given_room(3), .size = 3};
	sink_text(&exact, given("abc"));
	cr_expect(!exact.full && exact.used == 3, "what just fits is not full");
	sink_byte(&exact, 'd');
	cr_expect(exact.full);
	sink_words(&exact, "");
	cr_expect(exact.full, "nothing more that fits takes back what did not");
}

Test(text, numbers_are_written_as_they_are_read) {
	static const struct {
		uint64_t number;
		const char *words;
	} cases[] = {{0, "0"}, {9, "9"}, {10, "10"}, {4294967294u, "4294967294"}, {UINT64_MAX, "18446744073709551615"}};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct sink s = {.at = given_room(20), .size = 20};

		sink_number(&s, "", cases[i].number);
		given_expect_text((struct text){s.at, s.used}, cases[i].words, "number");
	}
}

Test(text, escaping_leaves_one_plain_line) {
	for (unsigned c = 0; c < 256; c++) {
		const char byte = (char)c;
		char want[5];
		struct sink s = {.at = given_room(4), .size = 4};

		if (c >= 0x20 && c <= 0x7e && c != '"' && c != '\\') {
			want[0] = byte;
			want[1] = '\0';
		} else {
			want[0] = '\\';
			want[1] = (char)('0' + c / 64);
			want[2] = (char)('0' + c / 8 % 8);
			want[3] = (char)('0' + c % 8);
			want[4] = '\0';
		}
		sink_escaped(&s, given_bytes(&byte, 1));
		given_expect_text((struct text){s.at, s.used}, want, "escaped");
	}
}
