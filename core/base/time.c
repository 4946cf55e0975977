/* SPDX-License-Identifier: Apache-2.0 */
/* time.c: the proleptic Gregorian calendar in integers. Years start in March here, so that the leap day comes last and
 * the lengths of the months before it follow one formula. */
#include "atls/time.h"

#include <stdio.h>

#define DAY_S 86400
/* days from 0000-03-01 to 1970-01-01 */
#define EPOCH_DAYS 719468
/* the first second of 1950 and the last of 9999 */
#define MIN_TIME (-631152000LL)
#define MAX_TIME 253402300799LL

static bool is_leap(int year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int days_in_month(int year, int month)
{
    static const uint8_t days[12] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return month == 2 && is_leap(year) ? 29 : days[month - 1];
}

bool atls_time_from_civil(int year, int month, int day, int hour, int minute, int second, atls_time *out)
{
    if (year < 1950 || year > 9999 || month < 1 || month > 12 || day < 1 || day > days_in_month(year, month) || hour < 0
        || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 59) {
        return false;
    }
    int march_year = month > 2 ? year : year - 1;
    int march_month = month > 2 ? month - 3 : month + 9; /* 0 is March, 11 February */
    /* 153 days in every five months from March on: 31 30 31 30 31 */
    int64_t day_of_year = (153 * march_month + 2) / 5 + day - 1;
    int64_t days = (int64_t)march_year * 365 + march_year / 4 - march_year / 100 + march_year / 400 + day_of_year;
    *out = (days - EPOCH_DAYS) * DAY_S + hour * 3600 + minute * 60 + second;
    return true;
}

/* n decimal digits at ptr; -1 when one of them is none */
static int digits(const uint8_t *ptr, size_t n)
{
    int value = 0;
    for (size_t i = 0; i < n; i++) {
        if (ptr[i] < '0' || ptr[i] > '9') {
            return -1;
        }
        value = 10 * value + (ptr[i] - '0');
    }
    return value;
}

bool atls_time_parse(atls_bytes text, atls_time *out)
{
    const uint8_t *p = text.ptr;
    if (text.len != 20 || p[4] != '-' || p[7] != '-' || p[10] != 'T' || p[13] != ':' || p[16] != ':' || p[19] != 'Z') {
        return false;
    }
    int year = digits(p, 4);
    /* a digit that is none gives -1, which is no month, day or hour either */
    return year >= 1970
           && atls_time_from_civil(year, digits(p + 5, 2), digits(p + 8, 2), digits(p + 11, 2), digits(p + 14, 2),
                                   digits(p + 17, 2), out);
}

void atls_time_format(atls_time t, char out[ATLS_TIME_TEXT_SIZE])
{
    if (t == ATLS_TIME_UNSET || t < MIN_TIME || t > MAX_TIME) {
        snprintf(out, ATLS_TIME_TEXT_SIZE, "%s", t == ATLS_TIME_UNSET ? "unset" : "out of range");
        return;
    }
    /* t is after 1950, so all of these are positive */
    int64_t since_march_0 = t + (int64_t)EPOCH_DAYS * DAY_S;
    int second = (int)(since_march_0 % DAY_S);
    int64_t days = since_march_0 / DAY_S;
    /* an estimate that is right or one too late: 146097 days are 400 years */
    int64_t year = (days * 400 + 591) / 146097;
    int64_t start = year * 365 + year / 4 - year / 100 + year / 400;
    if (start > days) {
        year--;
        start = year * 365 + year / 4 - year / 100 + year / 400;
    }
    int day_of_year = (int)(days - start);
    int march_month = (5 * day_of_year + 2) / 153;
    int day = day_of_year - (153 * march_month + 2) / 5 + 1;
    int month = march_month < 10 ? march_month + 3 : march_month - 9;
    unsigned shown_year = (unsigned)(month <= 2 ? year + 1 : year) % 10000;
    snprintf(out, ATLS_TIME_TEXT_SIZE, "%04u-%02u-%02uT%02u:%02u:%02uZ", shown_year, (unsigned)month % 100,
             (unsigned)day % 100, (unsigned)(second / 3600) % 100, (unsigned)(second / 60 % 60),
             (unsigned)(second % 60));
}
