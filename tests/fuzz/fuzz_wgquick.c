// SPDX-License-Identifier: GPL-2.0-or-later
/* any bytes as a wg-quick file: parse, print, and parse again what was printed */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "wgns/wgquick.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* a device that was accepted is accepted again as it is printed, and means the same */
static void check_round_trip(const struct wgquick *conf)
{
	struct diag_list diags = { 0 };
	struct wgquick again;
	char *saved = wgquick_print_saved(conf, conf->addresses, conf->n_addresses, &conf->device);

	if (!saved)
		abort();
	if (wgquick_parse(saved, strlen(saved), conf->name, &again, &diags) != 0)
		abort();
	if (again.n_addresses != conf->n_addresses || again.mtu != conf->mtu ||
	    again.table != conf->table || again.device.n_peers != conf->device.n_peers ||
	    again.device.listen_port != conf->device.listen_port ||
	    again.device.fwmark != conf->device.fwmark)
		abort();
	for (size_t i = 0; i < conf->device.n_peers; i++) {
		if (again.device.peers[i].n_allowed_ips != conf->device.peers[i].n_allowed_ips)
			abort();
	}
	free(saved);
	wgquick_free(&again);
	diag_free(&diags);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct diag_list diags = { .file = "fuzz.conf" };
	const char *text = (const char *)data;
	struct wgquick conf;
	size_t stripped_len;
	char *stripped;
	char line[1024];

	int rc = wgquick_parse(text, len, "wg0", &conf, &diags);
	if ((rc == 0) == (diags.n_errors > 0))
		abort();
	for (size_t i = 0; i < diags.n_items; i++)
		diag_format(&diags, &diags.items[i], line, sizeof(line));
	diag_free(&diags);
	if (wgquick_strip(text, len, &stripped, &stripped_len, &diags) == 0) {
		if (rc == 0 && (stripped_len != conf.stripped_len ||
				memcmp(stripped, conf.stripped, stripped_len) != 0))
			abort();
		free(stripped);
	} else if (rc == 0) {
		abort();
	}
	diag_free(&diags);
	if (rc == 0) {
		check_round_trip(&conf);
		wgquick_free(&conf);
	}
	return 0;
}
