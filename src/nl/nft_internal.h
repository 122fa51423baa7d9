/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nft_internal - what the nft_*.c files share */
#ifndef WGNS_NFT_INTERNAL_H
#define WGNS_NFT_INTERNAL_H

#include "wgns/nft.h"

/** nft_begin - a request to nf_tables; @type is NFT_MSG_* */
void nft_begin(struct nl_msg *m, uint8_t family, uint8_t type, uint16_t flags);
/** nft_begin_batch - @type: NFNL_MSG_BATCH_BEGIN or NFNL_MSG_BATCH_END */
void nft_begin_batch(struct nl_msg *m, uint16_t type);
bool nft_put_text(struct nl_msg *m, uint16_t type, const char *text);
bool nft_put_u32(struct nl_msg *m, uint16_t type, uint32_t value);

/** nft_expr_name - the kernel's name for that kind of expression; "" for NFT_KIND_OTHER */
const char *nft_expr_name(enum nft_kind kind);

#endif
