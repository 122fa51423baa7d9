// SPDX-License-Identifier: GPL-2.0-or-later
/* the files that wgns reads back after a crash: journal and snapshot */
#include <stddef.h>
#include <stdint.h>

#include "wgns/journal.h"
#include "wgns/snapshot.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct journal_entries entries;
	struct snapshot snapshot;
	struct netns_id home;
	struct err e;
	long end;

	if (journal_parse((const char *)data, size, &entries, &end, &e) == 0)
		journal_entries_free(&entries);
	if (journal_plan_parse((const char *)data, size, &home, &entries, &e) == 0)
		journal_entries_free(&entries);
	if (snapshot_parse((const char *)data, size, &snapshot, &e) == 0)
		snapshot_free(&snapshot);
	return 0;
}
