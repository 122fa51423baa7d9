/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * portal - what a network's answers mean: is the way free, or is a captive portal in it?
 *
 * Pure functions. Whatever comes in was written by strangers: the lease, the answers, and what the probe says of them,
 * since the probe has read them.
 */
#ifndef WGNS_PORTAL_H
#define WGNS_PORTAL_H

#include <stdbool.h>
#include <stddef.h>

#define PORTAL_URL_MAX 2047 /* bytes of a page's URL */
#define PORTAL_LEASE_URL_MAX 255 /* of a DHCP option (RFC 2132) */
#define PORTAL_EXPECT_MAX 127
#define PORTAL_BODY_MAX 65536 /* of an answer that is looked at */

/*
 * What is asked by default: Debian's own, which NetworkManager asks there, too. It is run by the distribution and not by somebody
 * who lives on knowing who is where, and hotspots have no exception for it, as many have for Google's and Apple's.
 */
#define PORTAL_DEFAULT_URL "http://network-test.debian.org/nm"
#define PORTAL_DEFAULT_EXPECT "NetworkManager is online"

enum portal_state {
	PORTAL_FREE,
	PORTAL_CAPTIVE,
	/* what else keeps an answer away; the network is at fault, and no portal */
	PORTAL_NO_DEVICE, /* physical has no uplink */
	PORTAL_NO_CARRIER,
	PORTAL_NO_ADDRESS,
	PORTAL_NO_RESOLVER, /* the box has no name server */
	PORTAL_NO_NAME, /* the name servers do not answer, or know no such name */
	PORTAL_NO_ROUTE, /* no route, or nobody there */
	PORTAL_TIMEOUT, /* connected, or nearly so, and then silence */
	PORTAL_NO_TLS, /* the server could not prove who it is */
	PORTAL_NONSENSE, /* no HTTP, too much of it, or no answer of RFC 8908 */
	PORTAL_ODD, /* neither what is expected nor what a portal does: 404, 503 */
	PORTAL_MOVED, /* the server itself sends to its own https: */
};

struct portal_verdict {
	enum portal_state state;
	char page[PORTAL_URL_MAX +
		  1]; /* of PORTAL_CAPTIVE: the portal's page, or "" when it is not known */
};

/* One answer by HTTP, as it came. */
struct portal_answer {
	long status; /* 204 */
	const char *url; /* that was asked */
	const char *location; /* where it sends to, made absolute; or NULL */
	const char *type; /* Content-Type, or NULL */
	const char *body;
	size_t len;
	bool is_cut; /* there was more of the body */
};

/**
 * portal_is_url - http: or https: with a host, of the characters that RFC 3986 allows, at most @max bytes
 *
 * No user name before the host, which would look like one. What passes can be shown on a terminal and be an argument of a program;
 * it begins with a letter. It is no word for a shell.
 */
bool portal_is_url(const char *s, size_t len, size_t max);
/** portal_is_https - of what portal_is_url() accepts */
bool portal_is_https(const char *url);

/**
 * portal_read_lease - the line "captive-portal URL" of a lease (DHCP option 114, RFC 8910)
 * @url: receives it, or "" when the network says that it has no portal (urn:ietf:params:capport:unrestricted)
 *
 * A "=" may stand for the blank. Other lines are passed over.
 * Return: 0; -ENOENT when there is no such line; -EINVAL when it is no URL, or two lines differ
 */
int portal_read_lease(const char *text, size_t len, char url[PORTAL_LEASE_URL_MAX + 1]);

/**
 * portal_judge_http - what the answer of a probe means
 * @expect: the text that the server gives, or "" when it is status 204
 *
 * White space at both ends of the body does not count. 204 always is free: a portal cannot show anything by it.
 */
void portal_judge_http(const struct portal_answer *answer, const char *expect,
		       struct portal_verdict *out);

/**
 * portal_judge_api - what the answer of a Captive Portal API means (RFC 8908, section 5)
 *
 * It has to be application/captive+json with the boolean "captive". A "user-portal-url" that is not https: is left out, because the
 * RFC demands TLS.
 * PORTAL_NONSENSE when it is no such answer.
 */
void portal_judge_api(const struct portal_answer *answer, struct portal_verdict *out);

/**
 * portal_format - the one line by which the probe says it: "WORD\n", or "captive URL\n"
 * @buf: at least PORTAL_LINE_MAX bytes
 * Return: its length
 */
#define PORTAL_LINE_MAX (PORTAL_URL_MAX + 32)
size_t portal_format(const struct portal_verdict *v, char buf[PORTAL_LINE_MAX]);
/** portal_parse - the same backwards, of exactly one line; Return: 0 or -EINVAL */
int portal_parse(const char *text, size_t len, struct portal_verdict *out);

#endif
