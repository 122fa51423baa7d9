// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a kernel says of a device. The input is the attributes of the replies, each of them behind its
 * length of two bytes; the headers, which nl.c has checked before, are put on here.
 */
#include <linux/genetlink.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "wgns/wgnl.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);

#define HEAD (sizeof(struct nlmsghdr) + sizeof(struct genlmsghdr))

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct wg_device dev = { 0 };
	struct err e;
	int rc = 0;

	while (rc == 0 && size >= 2) {
		struct nl_msg m;
		size_t len = (size_t)(data[0] | data[1] << 8);
		data += 2;
		size -= 2;
		if (len > size)
			len = size;
		if (len > NL_MSG_MAX - HEAD)
			len = NL_MSG_MAX - HEAD;
		nl_msg_begin(&m, 0x1c, 0, sizeof(struct genlmsghdr));
		memcpy(m.buf + HEAD, data, len);
		nl_msg_hdr(&m)->nlmsg_len = (uint32_t)(HEAD + len);
		rc = wgnl_parse(nl_msg_hdr(&m), &dev, &e);
		data += len;
		size -= len;
	}
	wg_device_free(&dev);
	return 0;
}

/* two real messages, as the builder makes them, in the input's form: blind bytes rarely become nests */
static size_t make_example(uint8_t *data, size_t max_size, unsigned seed)
{
	struct wg_device dev = { .name = "wg0", .has_private_key = true, .has_fwmark = true };
	struct wgnl_cursor cursor = { 0 };
	struct nl_msg m;
	size_t size = 0;

	for (unsigned i = 0; i < 1 + seed % 3; i++) {
		struct wg_peer *peer = wg_device_add_peer(&dev);
		struct addr a = { .family = i % 2 ? AF_INET6 : AF_INET, .bits = 24 };
		if (!peer)
			break;
		peer->public_key.bytes[0] = (uint8_t)(seed >> 8);
		peer->has_preshared_key = true;
		peer->has_keepalive = true;
		peer->endpoint.sa.sa_family = i % 2 ? AF_INET : AF_INET6;
		(void)wg_peer_add_allowed_ip(peer, &a, false); /* fewer are fine too */
	}
	(void)wgnl_build_set(&m, 0x1c, &dev, true, &cursor);
	wg_device_free(&dev);
	size_t len = nl_msg_hdr(&m)->nlmsg_len - HEAD;
	for (int i = 0; i < 2 && size + 2 + len <= max_size; i++) {
		data[size++] = (uint8_t)len;
		data[size++] = (uint8_t)(len >> 8);
		memcpy(data + size, m.buf + HEAD, len);
		size += len;
	}
	return size;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
	if (size < 4 || seed % 64 == 0)
		size = make_example(data, max_size, seed);
	return LLVMFuzzerMutate(data, size, max_size);
}
