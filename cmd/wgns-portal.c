// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * wgns-portal - ask once, in physical, whether the way is free; `wgns portal` starts it there
 *
 * usage: wgns-portal http URL [TEXT] | wgns-portal api URL
 *
 * A program of its own, because it alone needs libcurl, whose thirty libraries every wgns would load, and because it reads what
 * the network answers: it starts without a privilege under the profile strict, gives up the files too, and says one line,
 * which wgns takes for a stranger's word.
 */
#include <arpa/inet.h>
#include <curl/curl.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "wgns/confine.h"
#include "wgns/fd.h"
#include "wgns/portal.h"

#define TOTAL_MS 15000L /* of one question, from the name to the last byte */
#define CONNECT_MS 10000L
#define LAST_S 20 /* a resolver that does not return is ended with the process */
#define HEADERS_MAX 32768 /* bytes of all headers together */
#define HTTP_BODY_MAX 4096 /* what is longer is no answer of a probe's server */
#ifdef __SANITIZE_ADDRESS__
#define MEMORY_MAX (1UL << 46) /* its shadow */
#else
#define MEMORY_MAX (1UL << 30) /* of addresses: threads and libraries */
#endif
#define CPU_S 10
#define LAN_DEVICE "wgns-lan" /* leads home, see Lan in wgns.conf(5) */
#define RESOLV_CONF "/etc/resolv.conf"
#define RESOLV_CONF_MAX 65536

struct fetch {
	char body[PORTAL_BODY_MAX];
	size_t len, cap;
	size_t headers;
	bool is_cut, has_bomb;
};

static size_t take_body(char *data, size_t size, size_t n, void *ctx)
{
	struct fetch *f = ctx;
	size_t len = size * n, room = f->cap - f->len;

	memcpy(f->body + f->len, data, len < room ? len : room);
	f->len += len < room ? len : room;
	f->is_cut = f->is_cut || len > room;
	return f->is_cut ? 0 : len; /* 0 ends it */
}

static size_t take_header(char *data, size_t size, size_t n, void *ctx)
{
	struct fetch *f = ctx;

	(void)data;
	f->headers += size * n;
	f->has_bomb = f->headers > HEADERS_MAX;
	return f->has_bomb ? 0 : size * n;
}

/* neither 169.254/16 nor fe80::/10, by which nothing beyond the link is reached */
static bool is_global(const struct sockaddr *sa)
{
	if (sa->sa_family == AF_INET) {
		uint32_t a = ntohl(((const struct sockaddr_in *)(const void *)sa)->sin_addr.s_addr);
		return a >> 16 != 0xa9fe;
	}
	if (sa->sa_family != AF_INET6)
		return false;
	return !IN6_IS_ADDR_LINKLOCAL(&((const struct sockaddr_in6 *)(const void *)sa)->sin6_addr);
}

/* what is missing before any packet can go; PORTAL_FREE: nothing */
static enum portal_state look_at_devices(void)
{
	struct ifaddrs *all = NULL;
	bool has_device = false, has_carrier = false, has_address = false;

	if (getifaddrs(&all) < 0)
		return PORTAL_FREE; /* the question itself will tell */
	for (const struct ifaddrs *i = all; i; i = i->ifa_next) {
		if (i->ifa_flags & IFF_LOOPBACK || strcmp(i->ifa_name, LAN_DEVICE) == 0)
			continue;
		has_device = true;
		if (!(i->ifa_flags & IFF_UP) || !(i->ifa_flags & IFF_RUNNING))
			continue;
		has_carrier = true;
		has_address = has_address || (i->ifa_addr && is_global(i->ifa_addr));
	}
	freeifaddrs(all);
	if (!has_device)
		return PORTAL_NO_DEVICE;
	if (!has_carrier)
		return PORTAL_NO_CARRIER;
	return has_address ? PORTAL_FREE : PORTAL_NO_ADDRESS;
}

static bool has_resolver(void)
{
	char *text = NULL;
	size_t len;
	struct err ignored;

	if (fd_read_file_at(AT_FDCWD, RESOLV_CONF, RESOLV_CONF_MAX, &text, &len, &ignored) < 0)
		return false;
	bool is_there = strncmp(text, "nameserver", 10) == 0 || strstr(text, "\nnameserver");
	free(text);
	return is_there;
}

static enum portal_state name_failure(CURL *curl, CURLcode code)
{
	double resolved_s = 0;

	switch ((int)code) {
	case CURLE_COULDNT_RESOLVE_HOST:
		return has_resolver() ? PORTAL_NO_NAME : PORTAL_NO_RESOLVER;
	case CURLE_COULDNT_CONNECT:
		return PORTAL_NO_ROUTE;
	case CURLE_OPERATION_TIMEDOUT:
		if (curl_easy_getinfo(curl, CURLINFO_NAMELOOKUP_TIME, &resolved_s) == CURLE_OK &&
		    resolved_s > 0)
			return PORTAL_TIMEOUT;
		return has_resolver() ? PORTAL_NO_NAME : PORTAL_NO_RESOLVER;
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CONNECT_ERROR:
	case CURLE_SSL_CACERT_BADFILE:
	case CURLE_SSL_ISSUER_ERROR:
	case CURLE_SSL_INVALIDCERTSTATUS:
		return PORTAL_NO_TLS;
	default:
		return PORTAL_NONSENSE;
	}
}

/* nothing of the environment counts: no proxy, no .netrc, no cookies, no redirection is followed */
static bool set_up(CURL *curl, const char *url, struct curl_slist *headers, struct fetch *f)
{
	return curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https") == CURLE_OK &&
	       curl_easy_setopt(curl, CURLOPT_URL, url) == CURLE_OK &&
	       curl_easy_setopt(curl, CURLOPT_PROXY, "") == CURLE_OK &&
	       curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
	       curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, TOTAL_MS) == CURLE_OK &&
	       curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_MS) == CURLE_OK &&
	       curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1) ==
		       CURLE_OK &&
	       curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers) == CURLE_OK &&
	       curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body) == CURLE_OK &&
	       curl_easy_setopt(curl, CURLOPT_WRITEDATA, f) == CURLE_OK &&
	       curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, take_header) == CURLE_OK &&
	       curl_easy_setopt(curl, CURLOPT_HEADERDATA, f) == CURLE_OK;
}

static void judge(CURL *curl, const char *url, const char *expect, const struct fetch *f,
		  struct portal_verdict *out)
{
	struct portal_answer a = {
		.url = url, .body = f->body, .len = f->len, .is_cut = f->is_cut
	};
	char *location = NULL, *type = NULL;

	if (curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &a.status) != CURLE_OK ||
	    curl_easy_getinfo(curl, CURLINFO_REDIRECT_URL, &location) != CURLE_OK ||
	    curl_easy_getinfo(curl, CURLINFO_CONTENT_TYPE, &type) != CURLE_OK)
		return; /* it stays nonsense */
	a.location = location;
	a.type = type;
	if (expect)
		portal_judge_http(&a, expect, out);
	else
		portal_judge_api(&a, out);
}

/* @expect: NULL asks an API */
static void ask(const char *url, const char *expect, struct portal_verdict *out)
{
	static struct fetch fetch;
	struct curl_slist *headers = curl_slist_append(
		NULL, expect ? "Cache-Control: no-cache" : "Accept: application/captive+json");
	CURL *curl = curl_easy_init();

	out->state = PORTAL_NONSENSE;
	fetch.cap = expect ? HTTP_BODY_MAX : PORTAL_BODY_MAX;
	if (!curl || !headers || !set_up(curl, url, headers, &fetch))
		return;
	CURLcode code = curl_easy_perform(curl);
	if (code == CURLE_OK || (code == CURLE_WRITE_ERROR && fetch.is_cut && !fetch.has_bomb))
		judge(curl, url, expect, &fetch, out);
	else
		out->state = name_failure(curl, code);
	/* nothing is cleaned up: that would wait for a resolver that does not return */
}

int main(int argc, char **argv)
{
	/* names, certificates, and the libraries of name services that are loaded late */
	static const char *const readable[] = {
		"/etc",	      "/usr/lib",	  "/usr/share", "/lib",	       "/lib64",
		"/usr/lib64", "/usr/local/share", "/proc/self", "/dev/urandom"
	};
	const struct confine confine = {
		.readable = readable,
		.n_readable = sizeof(readable) / sizeof(readable[0]),
		.memory = MEMORY_MAX,
		.cpu_s = CPU_S,
	};
	struct portal_verdict verdict = { 0 };
	char line[PORTAL_LINE_MAX];
	struct err e;

	bool is_http = argc >= 3 && argc <= 4 && strcmp(argv[1], "http") == 0;
	bool is_api = argc == 3 && strcmp(argv[1], "api") == 0;
	if ((!is_http && !is_api) || !portal_is_url(argv[2], strlen(argv[2]), PORTAL_URL_MAX)) {
		fputs("usage: wgns-portal http URL [TEXT] | api URL\n", stderr);
		return 2;
	}
	(void)alarm(LAST_S); /* it cannot fail */
	if (confine_self(&confine, &e) < 0) {
		fprintf(stderr, "wgns-portal: %s\n", e.text);
		return 1;
	}
	verdict.state = look_at_devices();
	if (verdict.state == PORTAL_FREE)
		ask(argv[2], is_http ? (argc == 4 ? argv[3] : "") : NULL, &verdict);
	size_t len = portal_format(&verdict, line);
	_exit(fd_write_all(STDOUT_FILENO, line, len, "standard output", &e) < 0);
}
