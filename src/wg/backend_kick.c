// SPDX-License-Identifier: GPL-2.0-or-later
/* a handshake on demand */
#include <errno.h>

#include "wgns/backend.h"

#define KICK_KEEPALIVE_S 25 /* any value but 0; none of them passes while it is set */

/* peers with nothing but their key and a keepalive: @live's own one, or the opposite of it */
static int set_keepalive(const struct backend *backend, const struct backend_device *dev,
			 int inside_fd, const struct wg_device *live, bool is_own, struct err *e)
{
	struct wg_device change = { 0 };
	int rc = 0;

	for (size_t i = 0; i < live->n_peers; i++) {
		const struct wg_peer *from = &live->peers[i];
		if (!wg_endpoint_len(&from->endpoint))
			continue;
		struct wg_peer *to = wg_device_add_peer(&change);
		if (!to) {
			rc = err_set(e, ENOMEM, "begin a handshake");
			break;
		}
		to->public_key = from->public_key;
		to->is_incremental = true;
		to->is_update_only = true;
		to->has_keepalive = true;
		to->keepalive = is_own ? from->keepalive : (from->keepalive ? 0 : KICK_KEEPALIVE_S);
	}
	if (rc == 0 && change.n_peers)
		rc = backend->set(dev, inside_fd, &change, false, e);
	wg_device_free(&change);
	return rc;
}

int backend_kick(const struct backend *backend, const struct backend_device *dev, int inside_fd,
		 struct err *e)
{
	struct wg_device live = { 0 };
	int rc = backend->get(dev, inside_fd, &live, e);

	if (rc < 0)
		return rc;
	rc = set_keepalive(backend, dev, inside_fd, &live, false, e);
	if (rc == 0)
		rc = set_keepalive(backend, dev, inside_fd, &live, true, e);
	wg_device_free(&live);
	return rc;
}
