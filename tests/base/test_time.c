/* SPDX-License-Identifier: Apache-2.0 */
/* test_time.c: real dates and nothing else. */
#include "check.h"

#include "atls/time.h"

#include <time.h>

typedef struct parse_row {
    const char *name;
    const char *text;
    bool ok;
    int64_t t;
} parse_row;

static const parse_row parse_rows[] = {
    {"parse: the epoch", "1970-01-01T00:00:00Z", true, 0},
    {"parse: one second later", "1970-01-01T00:00:01Z", true, 1},
    {"parse: a leap day", "2024-02-29T23:59:59Z", true, 1709251199},
    {"parse: 2000 is a leap year", "2000-02-29T00:00:00Z", true, 951782400},
    {"parse: beyond 32 bits", "2038-01-19T03:14:08Z", true, 2147483648},
    {"parse: the last second", "9999-12-31T23:59:59Z", true, 253402300799},
    {"parse: before 1970", "1969-12-31T23:59:59Z", false, 0},
    {"parse: 29 February in a common year", "2023-02-29T00:00:00Z", false, 0},
    {"parse: 2100 is no leap year", "2100-02-29T00:00:00Z", false, 0},
    {"parse: 31 April", "2024-04-31T00:00:00Z", false, 0},
    {"parse: month 0", "2024-00-10T00:00:00Z", false, 0},
    {"parse: month 13", "2024-13-10T00:00:00Z", false, 0},
    {"parse: day 0", "2024-01-00T00:00:00Z", false, 0},
    {"parse: hour 24", "2024-01-01T24:00:00Z", false, 0},
    {"parse: minute 60", "2024-01-01T00:60:00Z", false, 0},
    {"parse: a leap second", "2016-12-31T23:59:60Z", false, 0},
    {"parse: a fraction", "2024-01-01T00:00:00.0Z", false, 0},
    {"parse: an offset", "2024-01-01T00:00:00+00:00", false, 0},
    {"parse: no zone", "2024-01-01T00:00:00", false, 0},
    {"parse: small t", "2024-01-01t00:00:00Z", false, 0},
    {"parse: a space for T", "2024-01-01 00:00:00Z", false, 0},
    {"parse: small z", "2024-01-01T00:00:00z", false, 0},
    {"parse: a sign for a digit", "2024-+1-01T00:00:00Z", false, 0},
    {"parse: a space for a digit", "2024- 1-01T00:00:00Z", false, 0},
    {"parse: a sign for a year's digit", "-024-01-01T00:00:00Z", false, 0},
    {"parse: a byte after 9 for a digit, which would make 10", "2024-0:-01T00:00:00Z", false, 0},
    {"parse: a byte before 0 for a digit, which would make 49", "2024-01-01T00:00:5/Z", false, 0},
    {"parse: a slash after the year", "2024/01-01T00:00:00Z", false, 0},
    {"parse: a slash after the month", "2024-01/01T00:00:00Z", false, 0},
    {"parse: a dot after the hour", "2024-01-01T00.00:00Z", false, 0},
    {"parse: a dot after the minute", "2024-01-01T00:00.00Z", false, 0},
    {"parse: a byte more", "2024-01-01T00:00:00Z ", false, 0},
    {"parse: nothing", "", false, 0},
};

static void test_parse(void **state)
{
    const parse_row *row = *state;
    atls_time t = 42;
    assert_int_equal(atls_time_parse(atls_bytes_str(row->text), &t), row->ok);
    assert_int_equal(t, row->ok ? row->t : 42);
    char text[ATLS_TIME_TEXT_SIZE];
    if (row->ok && t != ATLS_TIME_UNSET) {
        atls_time_format(t, text);
        assert_string_equal(text, row->text);
    }
}

typedef struct format_row {
    const char *name;
    int64_t t;
    const char *text;
} format_row;

static const format_row format_rows[] = {
    {"format: unset", ATLS_TIME_UNSET, "unset"},
    {"format: the second before 1970", -1, "1969-12-31T23:59:59Z"},
    {"format: the first of 1950", -631152000, "1950-01-01T00:00:00Z"},
    {"format: before 1950", -631152001, "out of range"},
    {"format: the last of 9999", 253402300799, "9999-12-31T23:59:59Z"},
    {"format: after 9999", 253402300800, "out of range"},
    {"format: the least number", INT64_MIN, "out of range"},
    {"format: the greatest number", INT64_MAX, "out of range"},
};

static void test_format(void **state)
{
    const format_row *row = *state;
    char text[ATLS_TIME_TEXT_SIZE];
    atls_time_format(row->t, text);
    assert_string_equal(text, row->text);
}

static void test_civil_bounds(void **state)
{
    (void)state;
    atls_time t = 42;
    assert_false(atls_time_from_civil(1949, 12, 31, 23, 59, 59, &t));
    assert_false(atls_time_from_civil(10000, 1, 1, 0, 0, 0, &t));
    assert_false(atls_time_from_civil(2024, 1, 1, -1, 0, 0, &t));
    assert_false(atls_time_from_civil(2024, 1, 1, 0, -1, 0, &t));
    assert_false(atls_time_from_civil(2024, 1, 1, 0, 0, -1, &t));
    assert_false(atls_time_from_civil(2024, -1, 1, 0, 0, 0, &t));
    assert_false(atls_time_from_civil(2024, 1, 32, 0, 0, 0, &t));
    assert_int_equal(t, 42);
    assert_true(atls_time_from_civil(1950, 1, 1, 0, 0, 0, &t));
    assert_int_equal(t, -631152000);
}

/* The day after the last of each month, which only a longer month has. */
static void test_month_ends(void **state)
{
    (void)state;
    for (int year = 1999; year <= 2005; year++) {
        for (int month = 1; month <= 12; month++) {
            atls_time next;
            atls_time t;
            char text[ATLS_TIME_TEXT_SIZE];
            assert_true(
                atls_time_from_civil(month < 12 ? year : year + 1, month < 12 ? month + 1 : 1, 1, 0, 0, 0, &next));
            atls_time_format(next - 1, text);
            int last = 10 * (text[8] - '0') + (text[9] - '0');
            assert_true(atls_time_from_civil(year, month, last, 23, 59, 59, &t));
            assert_int_equal(t, next - 1);
            assert_false(atls_time_from_civil(year, month, last + 1, 0, 0, 0, &t));
        }
    }
}

/* Every day of more than 400 years, after which the calendar repeats, and of the last ones, against the C library. */
static void test_every_day(void **state)
{
    (void)state;
    const int64_t end_of_2400 = 13601087999;
    const int64_t start_of_9990 = 253086768000;
    for (int64_t t = -631152000; t <= 253402300799; t += t == end_of_2400 + 1 ? start_of_9990 - t : 86400) {
        time_t c_time = (time_t)(t + 45296);
        struct tm civil;
        assert_non_null(gmtime_r(&c_time, &civil));
        atls_time back;
        assert_true(atls_time_from_civil(civil.tm_year + 1900, civil.tm_mon + 1, civil.tm_mday, civil.tm_hour,
                                         civil.tm_min, civil.tm_sec, &back));
        char text[ATLS_TIME_TEXT_SIZE];
        char wanted[64];
        atls_time_format(back, text);
        strftime(wanted, sizeof wanted, "%Y-%m-%dT%H:%M:%SZ", &civil);
        if (back != t + 45296 || strcmp(text, wanted) != 0) {
            fail_msg("%s is not %s", text, wanted);
        }
    }
}

int main(void)
{
    tap_list tests = {0};
    for (size_t i = 0; i < COUNT(parse_rows); i++) {
        tap_add(&tests, parse_rows[i].name, test_parse, &parse_rows[i]);
    }
    for (size_t i = 0; i < COUNT(format_rows); i++) {
        tap_add(&tests, format_rows[i].name, test_format, &format_rows[i]);
    }
    tap_add(&tests, "civil: no such date, and the output untouched", test_civil_bounds, NULL);
    tap_add(&tests, "civil: no month is a day too long", test_month_ends, NULL);
    tap_add(&tests, "civil: every day of the calendar's cycle, there and back", test_every_day, NULL);
    return tap_run("time", &tests);
}
