// SPDX-License-Identifier: GPL-2.0-or-later
/* what is sent so that one device becomes another */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "wgns/str.h"
#include "wgns/wg_diff.h"

#define N(array) (sizeof(array) / sizeof((array)[0]))

/* "A 10.0.0.0/8 -10.1.0.0/16 psk=2 ka=25 ep=192.0.2.1:7 name=host:7 inc": a peer; its key is the letter */
static void add_peer(struct wg_device *dev, char *text)
{
	struct wg_peer *peer = wg_device_add_peer(dev);
	char *word = strsep(&text, " ");
	struct addr a;

	assert_non_null(peer);
	memset(peer->public_key.bytes, word[0], KEY_LEN);
	while ((word = strsep(&text, " "))) {
		char *port = strrchr(word, ':');
		bool is_remove = word[0] == '-';
		if (strncmp(word, "psk=", 4) == 0) {
			peer->has_preshared_key = true;
			memset(peer->preshared_key.bytes, atoi(word + 4), KEY_LEN);
		} else if (strncmp(word, "ka=", 3) == 0) {
			peer->has_keepalive = true;
			peer->keepalive = (uint16_t)atoi(word + 3);
		} else if (strncmp(word, "ep=", 3) == 0) {
			*port = '\0';
			assert_int_equal(wg_endpoint_numeric(word + 3, port + 1, &peer->endpoint),
					 0);
		} else if (strncmp(word, "name=", 5) == 0) {
			*port = '\0';
			peer->endpoint_host = strdup(word + 5);
			peer->endpoint_port = strdup(port + 1);
		} else if (strcmp(word, "inc") == 0) {
			peer->is_incremental = true;
		} else {
			word += is_remove;
			assert_int_equal(addr_parse_prefix(word, strlen(word), &a), 0);
			assert_int_equal(wg_peer_add_allowed_ip(peer, &a, is_remove), 0);
		}
	}
}

static struct wg_device device(const char *text)
{
	struct wg_device dev = { .name = "wg0" };
	char *copy = strdup(text), *rest = copy;

	assert_non_null(copy);
	while (rest && *rest)
		add_peer(&dev, strsep(&rest, ";"));
	free(copy);
	return dev;
}

static void show_peer(struct strbuf *b, const struct wg_peer *peer)
{
	char text[WG_ENDPOINT_TEXT_MAX];

	strbuf_addf(b, "%c", peer->public_key.bytes[0]);
	if (peer->has_preshared_key)
		strbuf_addf(b, " psk=%d", peer->preshared_key.bytes[0]);
	if (peer->has_keepalive)
		strbuf_addf(b, " ka=%u", peer->keepalive);
	wg_endpoint_format(&peer->endpoint, text);
	if (text[0])
		strbuf_addf(b, " ep=%s", text);
	if (peer->endpoint_host)
		strbuf_addf(b, " name=%s:%s", peer->endpoint_host, peer->endpoint_port);
	for (size_t i = 0; i < peer->n_allowed_ips; i++) {
		addr_format_prefix(&peer->allowed_ips[i].prefix, text);
		strbuf_addf(b, " %s%s", peer->allowed_ips[i].is_remove ? "-" : "", text);
	}
}

/* "new A ...; change B ... lost 10.0.0.0/8 dropped 10.1.0.0/16; gone C" */
static char *show(const struct wg_diff *diff)
{
	struct strbuf b = { 0 };
	char text[ADDR_TEXT_MAX];
	size_t k = 0;

	for (size_t i = 0; i < diff->set.n_peers; i++) {
		assert_true(diff->set.peers[i].is_incremental);
		assert_false(diff->set.peers[i].should_remove);
		strbuf_addf(&b, "%s%s ", b.len ? "; " : "", diff->is_new[i] ? "new" : "change");
		show_peer(&b, &diff->set.peers[i]);
		for (; k < diff->n_losses && diff->losses[k].peer == i; k++) {
			addr_format_prefix(&diff->losses[k].prefix, text);
			strbuf_addf(&b, " %s %s", diff->losses[k].is_dropped ? "dropped" : "lost",
				    text);
		}
	}
	assert_int_equal(k, diff->n_losses);
	for (size_t i = 0; i < diff->gone.n_peers; i++) {
		assert_true(diff->gone.peers[i].should_remove);
		strbuf_addf(&b, "%sgone %c", b.len ? "; " : "",
			    diff->gone.peers[i].public_key.bytes[0]);
	}
	return strbuf_finish(&b);
}

static void test_wg_normalise(void **state)
{
	static const struct {
		const char *in, *out;
	} rows[] = {
		{ "", "" },
		{ "A 10.0.0.1/8 10.0.0.0/8", "A 10.0.0.0/8" },
		/* the last one has it */
		{ "A 10.0.0.0/8;B 10.0.0.0/8", "A;B 10.0.0.0/8" },
		{ "B 10.0.0.0/8;A 10.0.0.0/8 1.0.0.0/8", "B;A 1.0.0.0/8 10.0.0.0/8" },
		/* + and - */
		{ "A 10.0.0.0/8 1.0.0.0/8 -10.0.0.0/8 inc", "A 1.0.0.0/8" },
		{ "A -10.0.0.0/8 10.0.0.0/8 inc", "A 10.0.0.0/8" },
		{ "A 10.0.0.0/8;B -10.0.0.0/8 inc", "A 10.0.0.0/8;B" },
		/* the same key twice: one peer; a list replaces the earlier one, an incremental one does not */
		{ "A 10.0.0.0/8 psk=1 ka=5;B;A 1.0.0.0/8 ka=7", "A psk=1 ka=7 1.0.0.0/8;B" },
		{ "A 10.0.0.0/8;B;A 1.0.0.0/8 inc", "A 1.0.0.0/8 10.0.0.0/8;B" },
		{ "A 10.0.0.0/8;A;A 2.0.0.0/8", "A 2.0.0.0/8" },
		{ "C name=one:1;A;C name=two:2", "C name=two:2;A" },
	};

	(void)state;
	for (size_t i = 0; i < N(rows); i++) {
		struct wg_device in = device(rows[i].in), out;
		struct strbuf b = { 0 };
		assert_int_equal(wg_normalise(&in, &out), 0);
		for (size_t k = 0; k < out.n_peers; k++) {
			strbuf_addf(&b, "%s", k ? ";" : "");
			show_peer(&b, &out.peers[k]);
		}
		char *text = strbuf_finish(&b);
		assert_string_equal(text, rows[i].out);
		free(text);
		wg_device_free(&in);
		wg_device_free(&out);
	}
}

static void test_wg_diff_peers(void **state)
{
	static const struct {
		const char *live, *want, *diff;
	} rows[] = {
		{ "", "", "" },
		{ "A 10.0.0.0/8 psk=1 ka=5 ep=192.0.2.1:7", "A 10.0.0.0/8 psk=1 ka=5", "" },
		{ "", "A", "new A" },
		{ "A", "", "gone A" },
		{ "", "A 10.0.0.0/8 psk=1 ka=5 ep=192.0.2.1:7",
		  "new A psk=1 ka=5 ep=192.0.2.1:7 10.0.0.0/8" },
		{ "C;B;A", "B;D", "new D; gone C; gone A" },
		/* what the file has no more is cleared */
		{ "A psk=1", "A", "change A psk=0" },
		{ "A ka=5", "A", "change A ka=0" },
		{ "A psk=1", "A psk=0", "change A psk=0" },
		{ "A", "A psk=0 ka=0", "" },
		{ "A psk=1 ka=5", "A psk=2 ka=6", "change A psk=2 ka=6" },
		/* endpoints: one that is known and differs, or a name */
		{ "A ep=192.0.2.1:7", "A ep=192.0.2.1:7", "" },
		{ "A ep=192.0.2.1:7", "A ep=192.0.2.1:8", "change A ep=192.0.2.1:8" },
		{ "A ep=192.0.2.1:7", "A", "" },
		{ "A ep=192.0.2.1:7", "A name=h:7", "change A name=h:7" },
		{ "", "A name=h:7", "new A name=h:7" },
		/* prefixes: never the whole list */
		{ "A 10.0.0.0/8", "A 10.0.0.0/8 1.0.0.0/8", "change A 1.0.0.0/8" },
		{ "A 10.0.0.0/8 1.0.0.0/8", "A 10.0.0.0/8", "change A dropped 1.0.0.0/8" },
		{ "A 10.0.0.0/8;B", "A;B 10.0.0.0/8",
		  "change B 10.0.0.0/8; change A lost 10.0.0.0/8" },
		{ "A 10.0.0.0/8", "A;B 10.0.0.0/8", "new B 10.0.0.0/8; change A lost 10.0.0.0/8" },
		/* those of a peer that goes go with it, or change hands before */
		{ "A 10.0.0.0/8 1.0.0.0/8;B", "B 10.0.0.0/8", "change B 10.0.0.0/8; gone A" },
		{ "A 10.0.0.0/8;B 1.0.0.0/8", "A 1.0.0.0/8;B 10.0.0.0/8",
		  "change A 1.0.0.0/8 lost 10.0.0.0/8; change B 10.0.0.0/8 lost 1.0.0.0/8" },
		{ "A 10.0.0.0/8 10.0.0.0/9 fd00::/8", "A 10.0.0.0/9 fd00::/9",
		  "change A fd00::/9 dropped 10.0.0.0/8 dropped fd00::/8" },
	};

	(void)state;
	for (size_t i = 0; i < N(rows); i++) {
		struct wg_device live = device(rows[i].live), want = device(rows[i].want);
		struct wg_diff diff;
		assert_int_equal(wg_diff(&want, &live, &diff), 0);
		char *text = show(&diff);
		assert_string_equal(text, rows[i].diff);
		assert_false(diff.set.has_private_key || diff.set.has_listen_port ||
			     diff.set.has_fwmark);
		free(text);
		wg_diff_free(&diff);
		wg_device_free(&live);
		wg_device_free(&want);
	}
}

static void test_wg_diff_device(void **state)
{
	struct wg_device live = { .name = "wg0",
				  .has_private_key = true,
				  .has_listen_port = true,
				  .listen_port = 51820,
				  .has_fwmark = true,
				  .fwmark = 1 };
	struct wg_device conf = { .name = "other" }, want;
	struct wg_diff diff;

	(void)state;
	memset(live.private_key.bytes, 0x40, KEY_LEN);
	/* what is not said stays */
	assert_int_equal(wg_diff(&conf, &live, &diff), 0);
	assert_false(diff.set.has_private_key || diff.set.has_listen_port || diff.set.has_fwmark);
	assert_string_equal(diff.set.name, "wg0");
	wg_diff_free(&diff);
	/* a key that is not clamped is the one that the kernel made of it */
	conf.has_private_key = conf.has_listen_port = conf.has_fwmark = true;
	conf.private_key = live.private_key;
	conf.private_key.bytes[0] |= 7;
	conf.private_key.bytes[31] = 0x80;
	conf.listen_port = 51820;
	conf.fwmark = 1;
	assert_int_equal(wg_normalise(&conf, &want), 0);
	assert_int_equal(wg_diff(&want, &live, &diff), 0);
	assert_false(diff.set.has_private_key || diff.set.has_listen_port || diff.set.has_fwmark);
	wg_diff_free(&diff);
	/* none at all, a random port, no mark */
	want = (struct wg_device){ .has_private_key = true,
				   .has_listen_port = true,
				   .has_fwmark = true };
	assert_int_equal(wg_diff(&want, &live, &diff), 0);
	assert_true(diff.set.has_private_key && diff.set.has_listen_port && diff.set.has_fwmark);
	assert_true(key_is_zero(&diff.set.private_key));
	assert_int_equal(diff.set.listen_port, 0);
	assert_int_equal(diff.set.fwmark, 0);
	wg_diff_free(&diff);
}

/* many peers, and of each second one a prefix goes to its neighbour: as many changes and no more */
static void test_wg_diff_of_10000_peers(void **state)
{
	struct wg_device want = { 0 }, live = { 0 };
	struct wg_diff diff;

	(void)state;
	for (uint32_t i = 0; i < 10000; i++) {
		struct wg_peer *w = wg_device_add_peer(&want), *l = wg_device_add_peer(&live);
		struct addr a = { .family = AF_INET, .bits = 32 };
		uint32_t moved = i ^ 1, back = 9999 - i;
		assert_true(w && l);
		memcpy(w->public_key.bytes, &i, sizeof(i));
		memcpy(l->public_key.bytes, &back, sizeof(back));
		memcpy(a.bytes, i % 4 < 2 ? &i : &moved, sizeof(i));
		assert_int_equal(wg_peer_add_allowed_ip(w, &a, false), 0);
		memcpy(a.bytes, &back, sizeof(back));
		assert_int_equal(wg_peer_add_allowed_ip(l, &a, false), 0);
	}
	assert_int_equal(wg_diff(&want, &live, &diff), 0);
	assert_int_equal(diff.set.n_peers, 5000);
	assert_int_equal(diff.n_losses, 5000);
	assert_int_equal(diff.gone.n_peers, 0);
	wg_diff_free(&diff);
	wg_device_free(&want);
	wg_device_free(&live);
}

/* what a backend has while it works off a request: prefixes and whose they are */
struct table {
	struct {
		struct addr prefix;
		char owner;
	} items[64];
	size_t n;
};

static void insert(struct table *t, const struct addr *prefix, char owner)
{
	size_t i = 0;

	while (i < t->n && !addr_equal(&t->items[i].prefix, prefix))
		i++;
	assert_true(i < N(t->items));
	t->n = i == t->n ? i + 1 : t->n;
	t->items[i].prefix = *prefix;
	t->items[i].owner = owner;
}

static void fill(struct table *t, const struct wg_device *dev)
{
	*t = (struct table){ 0 };
	for (size_t i = 0; i < dev->n_peers; i++) {
		for (size_t k = 0; k < dev->peers[i].n_allowed_ips; k++)
			insert(t, &dev->peers[i].allowed_ips[k].prefix,
			       (char)dev->peers[i].public_key.bytes[0]);
	}
}

static char owner_of(const struct table *t, const char *address)
{
	int best = -1;
	char owner = '-';
	struct addr a;

	assert_int_equal(addr_parse(address, strlen(address), &a), 0);
	for (size_t i = 0; i < t->n; i++) {
		if (addr_contains(&t->items[i].prefix, &a) && t->items[i].prefix.bits > best) {
			best = t->items[i].prefix.bits;
			owner = t->items[i].owner;
		}
	}
	return owner;
}

static void remove_peer(struct table *t, char owner)
{
	size_t n = 0;

	for (size_t i = 0; i < t->n; i++) {
		if (t->items[i].owner != owner)
			t->items[n++] = t->items[i];
	}
	t->n = n;
}

/* one store at a time: whose packets are nobody's business in between keep their peer */
static void test_wg_diff_request_has_no_gap(void **state)
{
	static const struct {
		const char *live, *want, *stays; /* addresses that keep their peer all the time */
	} requests[] = {
		{ "A 0.0.0.0/0", "A 10.0.0.0/24;B 0.0.0.0/0", "10.0.0.1" },
		{ "A 0.0.0.0/0", "B 0.0.0.0/0 10.0.0.0/16;A 10.0.0.0/24", "10.0.0.1" },
		{ "A 0.0.0.0/0;B 10.0.0.0/8", "A 0.0.0.0/0 10.1.0.0/16;B 10.0.0.0/8 10.1.1.0/24",
		  "10.1.1.1 10.2.0.1 11.0.0.1" },
		{ "A 10.0.0.0/8 11.0.0.0/8 ::/0;B 12.0.0.0/8", "A 10.0.0.0/8 ::/0;B 11.0.0.0/8",
		  "10.1.1.1 fd00::1" },
		{ "A 10.0.0.0/8;B 10.1.0.0/16", "A 10.0.0.0/8 10.1.0.0/16;B", "10.2.0.1" },
		{ "A 10.0.0.0/24", "A 10.0.0.0/24 10.0.0.0/8;B 10.0.0.0/16", "10.0.0.1" },
	};
	static const struct key taker = { { 'Z' } };

	(void)state;
	for (size_t i = 0; i < N(requests); i++) {
		struct wg_device live = device(requests[i].live), want = device(requests[i].want);
		struct wg_device request;
		struct table now, end;
		struct wg_diff diff;

		assert_int_equal(wg_diff(&want, &live, &diff), 0);
		assert_int_equal(wg_diff_request(&diff, &taker, &request), 0);
		fill(&now, &live);
		fill(&end, &want);
		for (size_t k = 0; k < request.n_peers; k++) {
			const struct wg_peer *peer = &request.peers[k];
			char owner = (char)peer->public_key.bytes[0];
			assert_true(peer->is_incremental);
			if (peer->should_remove)
				remove_peer(&now, owner);
			for (size_t m = 0; m < peer->n_allowed_ips; m++) {
				insert(&now, &peer->allowed_ips[m].prefix, owner);
				char *copy = strdup(requests[i].stays), *rest = copy;
				for (char *a = strsep(&rest, " "); a; a = strsep(&rest, " "))
					assert_int_equal(owner_of(&now, a), owner_of(&end, a));
				free(copy);
			}
		}
		/* and in the end it is what was wanted */
		assert_int_equal(now.n, end.n);
		for (size_t k = 0; k < end.n; k++) {
			size_t m = 0;
			while (m < now.n && !addr_equal(&now.items[m].prefix, &end.items[k].prefix))
				m++;
			assert_true(m < now.n);
			assert_int_equal(now.items[m].owner, end.items[k].owner);
		}
		wg_device_free(&request);
		wg_diff_free(&diff);
		wg_device_free(&live);
		wg_device_free(&want);
	}
}

static void test_wg_diff_request_carries_settings_once(void **state)
{
	static const struct key taker = { { 'Z' } };
	struct wg_device live = device("A 10.0.0.0/8 12.0.0.0/8;B");
	struct wg_device want = device(
		"A 10.0.0.0/8 11.0.0.0/16 11.0.0.0/24 psk=1 ka=5;B 11.0.0.0/20;C ep=192.0.2.1:7");
	struct wg_device request;
	struct strbuf b = { 0 };
	struct wg_diff diff;

	(void)state;
	assert_int_equal(wg_diff(&want, &live, &diff), 0);
	assert_int_equal(wg_diff_request(&diff, &taker, &request), 0);
	for (size_t i = 0; i < request.n_peers; i++) {
		strbuf_addf(&b, "%s%s", i ? "; " : "",
			    request.peers[i].should_remove ? "remove " : "");
		show_peer(&b, &request.peers[i]);
	}
	char *text = strbuf_finish(&b);
	assert_string_equal(text, "A psk=1 ka=5; C ep=192.0.2.1:7; A 11.0.0.0/24; B 11.0.0.0/20; "
				  "A 11.0.0.0/16; Z 12.0.0.0/8; remove Z");
	free(text);
	wg_device_free(&request);
	wg_diff_free(&diff);
	wg_device_free(&live);
	wg_device_free(&want);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_wg_normalise),
		cmocka_unit_test(test_wg_diff_peers),
		cmocka_unit_test(test_wg_diff_device),
		cmocka_unit_test(test_wg_diff_request_has_no_gap),
		cmocka_unit_test(test_wg_diff_request_carries_settings_once),
		cmocka_unit_test(test_wg_diff_of_10000_peers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
