// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "wgns/plan.h"
#include "wgns/str.h"

int step_split(const char *text, struct step *out)
{
	struct step step = { .text = strdup(text), .split = strdup(text) };

	if (!step.text || !step.split) {
		step_free(&step);
		return -ENOMEM;
	}
	char *rest = step.split;
	while (rest && step.n_words < STEP_WORDS - 1)
		step.words[step.n_words++] = strsep(&rest, " ");
	if (rest)
		step.words[step.n_words++] = rest;
	/* an operation may look at every word without counting them first */
	for (size_t i = step.n_words; i < STEP_WORDS; i++)
		step.words[i] = "";
	*out = step;
	return 0;
}

void step_free(struct step *step)
{
	free(step->text);
	free(step->split);
	*step = (struct step){ 0 };
}

void plan_free(struct plan *plan)
{
	for (size_t i = 0; i < plan->n; i++)
		step_free(&plan->steps[i]);
	free(plan->steps);
	str_list_free(&plan->uplinks, &plan->n_uplinks);
	str_list_free(&plan->warnings, &plan->n_warnings);
	str_list_free(&plan->agents, &plan->n_agents);
	*plan = (struct plan){ 0 };
}
