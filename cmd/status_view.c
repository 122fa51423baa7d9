// SPDX-License-Identifier: GPL-2.0-or-later
/* a status_view: what can be said of it without asking anybody */
#include "status.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const state_names[] = {
	[STATUS_UNKNOWN] = "unknown",
	[STATUS_UP] = "up",
	[STATUS_NO_HANDSHAKE] = "no handshake",
	[STATUS_STALE] = "stale",
	[STATUS_BROKEN] = "broken",
	[STATUS_UNFINISHED] = "unfinished",
};

const char *status_state_name(enum status_state state)
{
	return state_names[state];
}

void status_view_free(struct status_view *view)
{
	for (size_t i = 0; i < view->n_tunnels; i++)
		wg_device_free(&view->tunnels[i].device);
	for (size_t i = 0; i < view->n_boxes; i++) {
		struct status_box *box = &view->boxes[i];
		for (size_t k = 0; k < box->n_links; k++)
			free(box->links[k].addrs);
		free(box->links);
		free(box->procs);
		free(box->agents);
	}
	free(view->tunnels);
	free(view->boxes);
	*view = (struct status_view){ 0 };
}

void status_judge(struct status_tunnel *t, int64_t now)
{
	t->last_handshake = 0;
	for (size_t i = 0; i < t->device.n_peers; i++) {
		if (t->device.peers[i].last_handshake > t->last_handshake)
			t->last_handshake = t->device.peers[i].last_handshake;
	}
	if (!t->last_handshake)
		t->state = STATUS_NO_HANDSHAKE;
	else
		t->state = now - t->last_handshake > STATUS_REJECT_AFTER ? STATUS_STALE : STATUS_UP;
}

bool status_is_shown(const struct status_view *view, const struct status_tunnel *t)
{
	return !view->only || strcmp(view->only, t->meta.device.name) == 0;
}

const struct status_box *status_find_box(const struct status_view *view, const char *name)
{
	for (size_t i = 0; i < view->n_boxes; i++) {
		if (strcmp(view->boxes[i].name, name) == 0)
			return &view->boxes[i];
	}
	return NULL;
}

const struct status_link *status_find_link(const struct status_box *box, const char *name)
{
	for (size_t i = 0; box && i < box->n_links; i++) {
		if (strcmp(box->links[i].name, name) == 0)
			return &box->links[i];
	}
	return NULL;
}

const struct status_tunnel *status_tunnel_on(const struct status_view *view,
					     const struct status_box *box,
					     const struct status_link *link)
{
	for (size_t i = 0; i < view->n_tunnels; i++) {
		const struct state_tunnel *meta = &view->tunnels[i].meta;
		if (strcmp(meta->place, box->name) == 0 &&
		    strcmp(meta->device.name, link->name) == 0)
			return &view->tunnels[i];
	}
	return NULL;
}

bool status_is_daemon(const struct status_view *view, pid_t pid)
{
	for (size_t i = 0; i < view->n_tunnels; i++) {
		if (view->tunnels[i].meta.device.pid == pid)
			return true;
	}
	return false;
}

void status_escape(const char *in, char *out, size_t cap)
{
	size_t n = 0;

	for (; *in; in++) {
		unsigned char c = (unsigned char)*in;
		bool is_odd = c < 0x20 || c > 0x7e || c == '\\';
		if (n + (is_odd ? 4 : 1) >= cap)
			break;
		if (is_odd)
			n += (size_t)snprintf(out + n, cap - n, "\\x%02x", c);
		else
			out[n++] = (char)c;
	}
	out[n] = '\0';
}

void status_age(int64_t s, char *out, size_t cap)
{
	const int64_t min = 60, hour = 60 * min, day = 24 * hour;

	if (s < 0)
		s = 0; /* the clock was set back */
	if (s < min)
		(void)snprintf(out, cap, "%" PRId64 " s", s);
	else if (s < hour)
		(void)snprintf(out, cap, "%" PRId64 " min %" PRId64 " s", s / min, s % min);
	else if (s < day)
		(void)snprintf(out, cap, "%" PRId64 " h %" PRId64 " min", s / hour, s % hour / min);
	else
		(void)snprintf(out, cap, "%" PRId64 " d %" PRId64 " h", s / day, s % day / hour);
}

void status_bytes(uint64_t n, char *out, size_t cap)
{
	static const char *const units[] = { "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" };
	size_t unit = 0;

	if (n < 1024) {
		(void)snprintf(out, cap, "%" PRIu64 " B", n);
		return;
	}
	double value = (double)n / 1024;
	/* 1023.95 would be printed as 1024.0 */
	while (value >= 1023.95 && unit + 1 < sizeof(units) / sizeof(units[0])) {
		value /= 1024;
		unit++;
	}
	(void)snprintf(out, cap, "%.1f %s", value, units[unit]);
}

const char *status_colour(enum status_state state, const struct status_style *style)
{
	if (!style->has_colour)
		return "";
	switch (state) {
	case STATUS_UP:
		return "\033[32m";
	case STATUS_NO_HANDSHAKE:
	case STATUS_STALE:
	case STATUS_UNFINISHED:
		return "\033[33m";
	case STATUS_BROKEN:
		return "\033[31m";
	case STATUS_UNKNOWN:
		return "";
	}
	return "";
}

const char *status_plain(const struct status_style *style)
{
	return style->has_colour ? "\033[0m" : "";
}
