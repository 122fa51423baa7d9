// SPDX-License-Identifier: GPL-2.0-or-later
/* a frame is what a stranger sent: two bytes of protocol, one of direction, then the packet */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "wgns/frame.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct frame_rules rules = {
		.endpoints = { { { AF_INET, 32, { 198, 51, 100, 2 } }, 51820 } },
		.n_endpoints = 1,
		.ports = { 40000 },
		.n_ports = 1,
		.resolvers = { { AF_INET, 32, { 192, 0, 2, 1 } } },
		.n_resolvers = 1,
		.lan = { { AF_INET, 26, { 192, 0, 2, 0 } } },
		.n_lan = 1,
	};
	char text[FRAME_TEXT_MAX];

	if (size < 3)
		return 0;
	/* exactly as long, so that a byte too far is seen */
	size_t len = size - 3;
	uint8_t *copy = malloc(len + !len);
	if (!copy)
		return 0;
	memcpy(copy, data + 3, len);
	struct frame f =
		frame_classify(&rules, (uint16_t)(data[0] << 8 | data[1]), copy, len, data[2] & 1);
	if (f.kind >= FRAME_N_KINDS || !frame_kind_name(f.kind))
		abort();
	frame_describe(&f, text);
	if (!memchr(text, '\0', sizeof(text)))
		abort();
	free(copy);
	return 0;
}
