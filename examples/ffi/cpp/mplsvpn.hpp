// SPDX-License-Identifier: Apache-2.0
// What mplsvpn.cpp uses of libmplsvpn, in C++: objects that free themselves, spans, exceptions.
#pragma once

#include "labelmesh.hpp"

#include <mplsvpn/mplsvpn.h>
#include <utility>

namespace mplsvpn
{

using labelmesh::Bytes;

inline bool check(mplsvpn_rc rc)
{
    return labelmesh::check(rc, mplsvpn_rc_name);
}

/// The writer's side: all labels, VRFs, routes and interfaces of a node.
class Table
{
  public:
    explicit Table(const mplsvpn_config &config)
    {
        mplsvpn_table *table;
        check(mplsvpn_table_new(&config, &table));
        table_.reset(table);
    }

    mplsvpn_table *get() const
    {
        return table_.get();
    }
    void vrf_add(std::uint32_t vrf)
    {
        check(mplsvpn_vrf_add(get(), vrf));
    }

    void interface_set(std::uint32_t interface_id, std::uint32_t vrf)
    {
        check(mplsvpn_interface_set(get(), interface_id, vrf));
    }

    void interface_allow(std::uint32_t interface_id, std::uint32_t vrf)
    {
        check(mplsvpn_interface_allow(get(), interface_id, vrf));
    }

    void route_set(std::uint32_t vrf, const mplsvpn_addr &prefix, const mplsvpn_hop &hop)
    {
        check(mplsvpn_route_set(get(), vrf, &prefix, &hop));
    }

    void label_reserve(std::uint64_t owner, std::uint32_t label)
    {
        check(mplsvpn_label_reserve(get(), owner, label));
    }

    void label_bind(std::uint32_t label, const mplsvpn_hop &hop)
    {
        check(mplsvpn_label_bind(get(), label, &hop));
    }

    mplsvpn_hop lookup(std::uint32_t in_if, std::uint32_t label) const
    {
        mplsvpn_hop hop;
        check(mplsvpn_table_lookup(get(), in_if, label, &hop));
        return hop;
    }

  private:
    labelmesh::Owner<mplsvpn_table, mplsvpn_table_free> table_;
};

/// One thread's right to look things up. It goes before its table.
class Reader
{
  public:
    explicit Reader(Table &table)
    {
        mplsvpn_reader *reader;
        check(mplsvpn_reader_new(table.get(), &reader));
        reader_.reset(reader);
    }

    mplsvpn_hop ip_input(std::uint32_t vrf, Bytes packet)
    {
        mplsvpn_hop hop;
        check(mplsvpn_ip_input(reader_.get(), vrf, packet.data(), packet.size(), &hop));
        return hop;
    }

    /// The packet is what follows @p headroom bytes; returns it with its labels, within @p buffer.
    std::span<std::uint8_t> packet_push(const mplsvpn_hop &hop, std::span<std::uint8_t> buffer,
                                        std::size_t headroom)
    {
        mplsvpn_packet out;
        check(mplsvpn_packet_push(reader_.get(), &hop, buffer.data(), headroom,
                                  buffer.size() - headroom, &out));
        return buffer.subspan(out.offset, out.len);
    }

    std::pair<mplsvpn_packet, mplsvpn_hop> label_input(std::uint32_t in_if,
                                                       std::span<std::uint8_t> packet)
    {
        mplsvpn_packet out;
        mplsvpn_hop hop;
        check(
            mplsvpn_label_input(reader_.get(), in_if, packet.data(), 0, packet.size(), &out, &hop));
        return {out, hop};
    }

    mplsvpn_counters counters() const
    {
        auto counters = labelmesh::sized<mplsvpn_counters>();
        check(mplsvpn_reader_get_counters(reader_.get(), &counters));
        return counters;
    }

  private:
    labelmesh::Owner<mplsvpn_reader, mplsvpn_reader_free> reader_;
};

inline mplsvpn_label decode_label(Bytes bytes)
{
    mplsvpn_label label;
    check(mplsvpn_label_decode(bytes.data(), bytes.size(), &label));
    return label;
}

} // namespace mplsvpn
