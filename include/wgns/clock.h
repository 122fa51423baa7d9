/* SPDX-License-Identifier: GPL-2.0-or-later */
/* clock - the machine's clocks in milliseconds */
#ifndef WGNS_CLOCK_H
#define WGNS_CLOCK_H

#include <stdint.h>

/** clock_monotonic_ms - since some start, never set and without the time in which the machine sleeps (clock_gettime(2)) */
int64_t clock_monotonic_ms(void);

/** clock_boot_ms - the same with the time in which the machine sleeps */
int64_t clock_boot_ms(void);

#endif
