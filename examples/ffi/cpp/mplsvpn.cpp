// SPDX-License-Identifier: Apache-2.0
// MPLS VPN forwarding: a customer's packet gets its label at one node and loses it at the next.
#include "mplsvpn.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <iostream>
#include <vector>

namespace
{

using Packet = std::vector<std::uint8_t>;

constexpr std::uint32_t customer = 7; // a VRF
constexpr std::uint32_t tunnel = 1;   // the interface between the two nodes
constexpr std::uint32_t label = 200;  // what spoke2 advertised for 10.2.2.0/24

// UDP from 10.1.1.101 to 10.2.2.102, TTL 64.
constexpr std::uint8_t packet[28] = {0x45, 0, 0,  28, 0, 0,   0,  0, 64, 17,
                                     0x63, 4, 10, 1,  1, 101, 10, 2, 2,  102};

mplsvpn::Table new_node(std::uint8_t seed)
{
    auto config = labelmesh::with_defaults(mplsvpn_config_init);
    std::ranges::fill(config.seed, seed);
    mplsvpn::Table table(config);
    table.vrf_add(customer);
    table.interface_set(tunnel, customer);
    return table;
}

mplsvpn_hop hop_of(std::uint8_t kind)
{
    mplsvpn_hop hop{};
    hop.kind = kind;
    hop.vrf = customer;
    return hop;
}

Packet join(labelmesh::Bytes head, labelmesh::Bytes tail)
{
    Packet joined(head.begin(), head.end());
    joined.insert(joined.end(), tail.begin(), tail.end());
    return joined;
}

void refused(const char *what, mplsvpn::Reader &reader, std::uint32_t interface_id,
             labelmesh::Bytes stack)
{
    Packet bad = join(stack, packet);
    try {
        reader.label_input(interface_id, bad);
        throw std::logic_error(std::string(what) + " was taken");
    } catch (const labelmesh::Error &error) {
        std::cout << what << ": " << error.what() << '\n';
    }
}

} // namespace

int main()
{
    // What each has learned: spoke1 pushes the label into the tunnel; at spoke2 it names the VRF,
    // which packets from the tunnel may enter.
    const auto prefix = labelmesh::ipv4<mplsvpn_addr>(10, 2, 2, 0, 24);
    mplsvpn::Table spoke1 = new_node(1);
    mplsvpn_hop out = hop_of(MPLSVPN_HOP_TUNNEL);
    out.interface_id = tunnel;
    out.label_count = 1;
    out.labels[0] = label;
    spoke1.route_set(customer, prefix, out);

    mplsvpn::Table spoke2 = new_node(2);
    spoke2.route_set(customer, prefix, hop_of(MPLSVPN_HOP_LOCAL));
    spoke2.interface_allow(tunnel, customer);
    spoke2.label_reserve(0, label);
    spoke2.label_bind(label, hop_of(MPLSVPN_HOP_VRF));
    std::cout << "LFIB: label " << label << " leads to VRF " << spoke2.lookup(tunnel, label).vrf
              << '\n';

    // spoke1: the customer's route, then its label in front of the packet.
    mplsvpn::Reader reader1(spoke1);
    const std::uint8_t headroom[MPLSVPN_LABEL_BYTES] = {};
    Packet buffer = join(headroom, packet);
    const auto hop = reader1.ip_input(customer, packet);
    const auto wire = reader1.packet_push(hop, buffer, sizeof(headroom));
    const auto top = mplsvpn::decode_label(wire);
    std::cout << "sent on interface " << hop.interface_id << ": "
              << labelmesh::hex(wire.first(MPLSVPN_LABEL_BYTES)) << ", label " << top.value
              << " class " << unsigned{top.tc} << " bottom " << unsigned{top.bottom} << " TTL "
              << unsigned{top.ttl} << '\n';

    // spoke2: the label names the VRF, the VRF has the route.
    mplsvpn::Reader reader2(spoke2);
    const auto [got, vrf] = reader2.label_input(tunnel, wire);
    const auto inner = wire.subspan(got.offset, got.len);
    const auto route = reader2.ip_input(vrf.vrf, inner);
    if (vrf.kind != MPLSVPN_HOP_VRF || route.kind != MPLSVPN_HOP_LOCAL)
        return EXIT_FAILURE;
    std::cout << "label " << got.label << " popped, delivered in VRF " << route.vrf << ": "
              << labelmesh::hex(inner.first(20)) << '\n';

    std::uint8_t stack[17 * MPLSVPN_LABEL_BYTES];
    for (std::size_t i = 0; i < sizeof(stack); i += MPLSVPN_LABEL_BYTES)
        std::ranges::copy(std::initializer_list<std::uint8_t>{0, 0x0c, 0x80, 63}, stack + i);
    refused("label 201", reader2, tunnel, std::array<std::uint8_t, 4>{0, 0x0c, 0x91, 63});
    refused("interface 2", reader2, 2, std::array<std::uint8_t, 4>{0, 0x0c, 0x81, 63});
    refused("17 labels", reader2, tunnel, stack);
    const auto drops = reader2.counters();
    std::cout << "dropped: " << drops.drop_no_label << " no label, " << drops.drop_not_allowed
              << " not allowed, " << drops.drop_depth << " too deep\n";
    return EXIT_SUCCESS;
}
