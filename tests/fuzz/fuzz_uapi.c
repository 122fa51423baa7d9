// SPDX-License-Identifier: GPL-2.0-or-later
/* the answer of a daemon is text from another program */
#include <stddef.h>
#include <stdint.h>

#include "wgns/uapi.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct wg_device dev;
	struct err e;

	if (uapi_parse_get((const char *)data, size, &dev, &e) == 0)
		wg_device_free(&dev);
	return 0;
}
