// SPDX-License-Identifier: GPL-2.0-or-later
/* what floor.c and floor_wg.c share */
#ifndef TESTS_BENCH_FLOOR_H
#define TESTS_BENCH_FLOOR_H

#include <libmnl/libmnl.h>
#include <stdint.h>
#include <sys/types.h>

#define TUNNEL "wg0"
#define BIRTH "floor0"
#define OWN_DIR "/run/floor"
#define BATCH_BYTES 8192

/* requests of one socket that are sent together */
struct batch {
	struct mnl_socket *nl;
	_Alignas(8) char buf[BATCH_BYTES];
	size_t len;
	unsigned n;
};

_Noreturn void floor_die(const char *what);
void floor_check(int rc, const char *what);
void floor_open_netlink(struct batch *b, int bus);
struct nlmsghdr *floor_put(struct batch *b, uint16_t type, uint16_t flags);
void floor_put_done(struct batch *b, const struct nlmsghdr *h);
void floor_commit(struct batch *b, const char *what);
struct nlmsghdr *floor_put_link(struct batch *b, uint16_t type, uint16_t flags, const char *name);
ssize_t floor_read_small(const char *path, char *out, size_t cap);
int floor_start_daemon(int *inotify_fd);
void floor_set_userspace(int fd, const char *private_key, const char *public_key);
void floor_create_kernel(struct batch *b);
void floor_set_kernel(const char *private_key, const char *public_key);
void floor_end_daemon(void);

#endif
