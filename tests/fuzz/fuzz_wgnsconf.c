// SPDX-License-Identifier: GPL-2.0-or-later
/* any bytes as a wgns.conf */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "wgns/wgnsconf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct diag_list diags = { .file = "fuzz.conf" };
	struct wgnsconf conf;
	char line[1024];

	wgnsconf_init(&conf);
	int rc = wgnsconf_parse((const char *)data, len, &conf, &diags);
	if ((rc == 0) == (diags.n_errors > 0))
		abort();
	if (rc == 0 && (conf.has_uplinks != (conf.n_uplinks > 0) || conf.daemon[0] != '/' ||
			!conf.group[0] || !conf.backend[0]))
		abort();
	for (size_t i = 0; i < diags.n_items; i++)
		diag_format(&diags, &diags.items[i], line, sizeof(line));
	diag_free(&diags);
	wgnsconf_free(&conf);
	return 0;
}
