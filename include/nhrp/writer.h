/*
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef NHRP_WRITER_H
#define NHRP_WRITER_H

/**
 * @file
 * @brief Writes NHRP packets, front to back, into the caller's buffer.
 */

#include <nhrp/base.h>
#include <nhrp/packet.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Writes a packet front to back. The fields are the library's own; the struct is frozen. */
typedef struct nhrp_writer {
    uint8_t *buf;            /**< The caller's buffer. */
    size_t cap;              /**< Its size. */
    size_t len;              /**< What has been wanted so far, perhaps beyond cap. */
    size_t extensions_at;    /**< Where extensions begin, or 0. */
    size_t extension_at;     /**< Where the last one begins. */
    uint8_t nbma_family;     /**< Of all NBMA addresses. */
    uint8_t type;            /**< Of the packet. */
    uint8_t state;           /**< What may be put next. */
    uint8_t protocol_family; /**< Of the header. */
    uint8_t reserved[4];     /**< Zero. */
} nhrp_writer;

/**
 * @brief Begins a packet: fixed part and mandatory header.
 *
 * Then its CIEs or contents, then extensions, then nhrp_writer_end. A buffer that is too small
 * fails only at the end, which tells the size needed.
 * @param[out] w The writer; it needs no freeing.
 * @param buf Where the packet goes; may be NULL where cap is 0, to learn the size.
 * @param cap Octets of buf.
 * @param header Type, addresses and so on; its views are not read.
 * @retval NHRP_OK Begun.
 * @retval NHRP_ERR_ARG An argument is NULL, the type unknown, or addresses of mixed families.
 */
NHRP_API nhrp_rc nhrp_writer_begin(nhrp_writer *w, uint8_t *buf, size_t cap,
                                   const nhrp_packet *header);

/**
 * @brief Appends a client information entry to the mandatory part of types 1 to 6.
 * @param w A begun writer, without extensions so far.
 * @param cie The entry; its NBMA address is of the packet's NBMA family.
 * @retval NHRP_OK Done.
 * @retval NHRP_ERR_ARG An argument is NULL or an address does not fit.
 * @retval NHRP_ERR_STATE Not a packet of CIEs, or extensions have begun.
 */
NHRP_API nhrp_rc nhrp_writer_put_cie(nhrp_writer *w, const nhrp_cie *cie);

/**
 * @brief Appends what types 7 and 8 quote.
 * @param w A begun writer, without extensions so far.
 * @param contents The octets; NULL where len is 0.
 * @param len Their number.
 * @retval NHRP_OK Done.
 * @retval NHRP_ERR_ARG w is NULL, or contents where len is not 0.
 * @retval NHRP_ERR_STATE Another type of packet, or extensions have begun.
 */
NHRP_API nhrp_rc nhrp_writer_put_contents(nhrp_writer *w, const uint8_t *contents, size_t len);

/**
 * @brief Appends an extension; never the end extension, which nhrp_writer_end makes.
 * @param w A begun writer.
 * @param extension Type, compulsory bit and value; an empty value may grow by CIEs.
 * @retval NHRP_OK Done.
 * @retval NHRP_ERR_ARG An argument is NULL, the type 0 or above 14 bits, or the value too long.
 * @retval NHRP_ERR_STATE An Error Indication carries no extensions (RFC 2332 5.2.7).
 */
NHRP_API nhrp_rc nhrp_writer_put_extension(nhrp_writer *w, const nhrp_extension *extension);

/**
 * @brief Appends a CIE to the value of the extension that was put last.
 * @param w A begun writer with an extension.
 * @param cie The entry.
 * @retval NHRP_OK Done.
 * @retval NHRP_ERR_ARG An argument is NULL or an address does not fit.
 * @retval NHRP_ERR_STATE There is no extension.
 */
NHRP_API nhrp_rc nhrp_writer_put_extension_cie(nhrp_writer *w, const nhrp_cie *cie);

/**
 * @brief Ends the packet: the end extension, lengths and checksum.
 * @param w A begun writer; begin it again to reuse it.
 * @param[out] len Octets of the packet, also with NHRP_ERR_BUFFER.
 * @retval NHRP_OK The packet is in the buffer.
 * @retval NHRP_ERR_ARG An argument is NULL.
 * @retval NHRP_ERR_BUFFER The buffer is smaller than len.
 * @retval NHRP_ERR_STATE The writer was not begun or has ended.
 * @retval NHRP_ERR_SIZE More than 65535 octets.
 */
NHRP_API nhrp_rc nhrp_writer_end(nhrp_writer *w, size_t *len);

#ifdef __cplusplus
}
#endif

#endif
