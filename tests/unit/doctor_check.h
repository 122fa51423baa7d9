/* SPDX-License-Identifier: GPL-2.0-or-later */
/* what test_doctor*.c ask of findings */
#ifndef WGNS_TESTS_DOCTOR_CHECK_H
#define WGNS_TESTS_DOCTOR_CHECK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "wgns/doctor.h"

/* no program that matters runs */
static const struct doctor_processes nobody;

/* has the finding the answer, and, unless it is NULL, a detail of that weight that holds the text? */
static inline void check(const struct findings *list, const char *id, enum finding_answer answer,
			 enum finding_weight weight, const char *text)
{
	const struct finding *f = findings_find(list, id);

	assert_non_null(f);
	if (f->answer != answer)
		print_error("%s: %s\n", id, finding_answer_name(f->answer));
	assert_int_equal(f->answer, answer);
	if (!text)
		return;
	for (size_t i = 0; i < f->n_details; i++) {
		if (f->details[i].weight == weight && strstr(f->details[i].text, text))
			return;
	}
	for (size_t i = 0; i < f->n_details; i++)
		print_error("%s: %s: %s\n", id, finding_weight_name(f->details[i].weight),
			    f->details[i].text);
	fail_msg("%s: no %s '%s'", id, finding_weight_name(weight), text);
}

#endif
