// SPDX-License-Identifier: Apache-2.0
// NHRP: a hub redirects spoke1 to spoke2, with the labels of a VRF; three engines, virtual time.
//
// spoke1 has 10.1.1.0/24 behind it (its label 100), spoke2 10.2.2.0/24 (label 200), and the hub
// advertises 10.0.0.0/8 (label 10000), all in one VRF. docs/nhrp.md draws the exchange.
#include "nhrp.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <iostream>
#include <map>

namespace
{

using labelmesh::with_defaults;

constexpr std::uint32_t customer = 7; // the VRF

// UDP from 10.1.1.101 to 10.2.2.102, as the hub has seen it go back where it came from.
constexpr std::uint8_t packet[28] = {0x45, 0, 0,  28, 0, 0,   0,  0, 64, 17,
                                     0x63, 4, 10, 1,  1, 101, 10, 2, 2,  102};

nhrp_addr ip(std::uint8_t a, std::uint8_t b, std::uint8_t c, std::uint8_t d)
{
    return labelmesh::ipv4<nhrp_addr>(a, b, c, d);
}

nhrp_addr prefix(std::uint8_t a, std::uint8_t b, std::uint8_t c, std::uint8_t prefix_len)
{
    return labelmesh::ipv4<nhrp_addr>(a, b, c, 0, prefix_len, customer);
}

nhrp_config seeded(std::uint8_t seed)
{
    auto config = with_defaults(nhrp_config_init);
    std::ranges::fill(config.seed, seed); // in earnest 32 random bytes; here the run shall repeat
    return config;
}

// An engine, and the peer at the other end of each of its links.
struct Node {
    std::string name;
    nhrp_addr tunnel, nbma;
    nhrp::Engine engine{seeded(tunnel.bytes[3]), 0};
    std::map<std::uint32_t, Node *> peers{};

    void connect(std::uint64_t now, std::uint32_t link, Node &peer)
    {
        peers[link] = &peer;
        auto config = with_defaults(nhrp_link_config_init);
        config.interface = 1;
        config.local_nbma = nbma;
        config.local_protocol_ipv4 = tunnel;
        config.peer_nbma = peer.nbma;
        config.peer_protocol_ipv4 = peer.tunnel;
        engine.link_up(now, link, config);
    }

    std::uint32_t link_to(const Node &peer) const
    {
        return std::ranges::find(peers, &peer, [](auto &entry) { return entry.second; })->first;
    }
};

class Net
{
  public:
    Net()
    {
        for (Node *node : nodes)
            node->engine.interface_add(now, 1, with_defaults(nhrp_interface_config_init));
        for (std::uint32_t link = 1; Node * spoke : {&spoke1, &spoke2}) {
            hub.connect(now, link++, *spoke);
            spoke->connect(now, 1, hub);
        }
    }

    // The loop of docs/loop.md, with deadlines in place of a clock.
    void run(std::uint64_t until)
    {
        exchange();
        for (std::uint64_t due; (due = deadline()) <= until;) {
            now = std::max(now, due);
            for (Node *node : nodes)
                node->engine.timeout(now);
            exchange();
        }
        now = until;
    }

    std::uint64_t now = 0;
    std::vector<std::vector<std::uint8_t>> sent;
    Node hub{"hub", ip(172, 16, 1, 1), ip(192, 168, 1, 1)};
    Node spoke1{"spoke1", ip(172, 16, 1, 11), ip(192, 168, 1, 11)};
    Node spoke2{"spoke2", ip(172, 16, 1, 12), ip(192, 168, 1, 12)};

  private:
    // Events first, then outputs, until nobody sends any more.
    void exchange()
    {
        for (std::size_t before = SIZE_MAX; before != sent.size();) {
            before = sent.size();
            for (Node *node : nodes) {
                for (const nhrp_event &event : node->engine.events())
                    apply(*node, event);
                for (const nhrp::Datagram &datagram : node->engine.outputs(now))
                    deliver(*node, datagram);
            }
        }
    }

    std::uint64_t deadline() const
    {
        std::uint64_t due = NHRP_NEVER;
        for (const Node *node : nodes)
            due = std::min(due, node->engine.deadline());
        return due;
    }

    // The wire.
    void deliver(Node &node, const nhrp::Datagram &datagram)
    {
        Node &peer = *node.peers.at(datagram.link);
        show(node, peer, datagram.bytes);
        sent.push_back(datagram.bytes);
        peer.engine.input(now, peer.link_to(node), datagram.bytes);
    }

    void apply(Node &node, const nhrp_event &event)
    {
        switch (event.kind) {
        case NHRP_EVENT_ASK_ROUTE:
            node.engine.answer_route(now, event.ask_id,
                                     route(node, node.engine.question(event.ask_id).purpose));
            break;
        case NHRP_EVENT_ASK_TUNNEL: // IKEv2's work; here it is up at once
            std::cout << node.name << " brings a tunnel up to "
                      << labelmesh::text(node.engine.question(event.ask_id).nbma) << '\n';
            spoke1.connect(now, 2, spoke2);
            spoke2.connect(now, 2, spoke1);
            break;
        case NHRP_EVENT_MAPPING_UP: {
            const auto mapping = node.engine.mapping(event.id);
            std::cout << node.name << " maps " << labelmesh::text(mapping.prefix) << " to "
                      << labelmesh::text(mapping.nbma) << ", labels";
            for (std::uint32_t label : std::span(mapping.labels).first(mapping.label_count))
                std::cout << ' ' << label;
            std::cout << '\n';
            break;
        }
        case NHRP_EVENT_MAPPING_DOWN:
            std::cout << node.name << " forgets "
                      << labelmesh::text(node.engine.mapping(event.id).prefix) << " after "
                      << now / 1000 << " s\n";
            break;
        }
    }

    // What the node's routing tables say: the answer to a route question.
    nhrp_route route(const Node &node, std::uint32_t purpose) const
    {
        if (&node == &hub && purpose == NHRP_PURPOSE_REDIRECT) // the route of the packet's source
            return forward(hub, spoke1, prefix(10, 1, 1, 24), 100);
        if (&node == &spoke1 && purpose == NHRP_PURPOSE_INDICATION) // the way taken so far
            return forward(spoke1, hub, prefix(10, 0, 0, 8), 10000);
        if (&node == &hub && purpose == NHRP_PURPOSE_REQUEST) // on, with the next hop's label
            return forward(hub, spoke2, prefix(10, 2, 2, 24), 200);
        if (&node == &spoke2 && purpose == NHRP_PURPOSE_REQUEST) // here it is
            return known(NHRP_ROUTE_LOCAL, prefix(10, 2, 2, 24), 200);
        if (&node == &spoke1 && purpose == NHRP_PURPOSE_REPLY) // take what is offered
            return known(NHRP_ROUTE_LOCAL, prefix(10, 2, 2, 24), std::nullopt);
        return with_defaults(nhrp_route_init); // none
    }

    static nhrp_route known(std::uint32_t kind, const nhrp_addr &prefix,
                            std::optional<std::uint32_t> label)
    {
        auto route = with_defaults(nhrp_route_init);
        route.kind = kind;
        route.vrf = customer;
        route.flags = NHRP_ROUTE_SOURCE_LOCAL | NHRP_ROUTE_RECENT;
        route.label_count = label.has_value();
        route.labels[0] = label.value_or(0);
        route.prefix = prefix;
        return route;
    }

    static nhrp_route forward(const Node &node, const Node &to, const nhrp_addr &prefix,
                              std::uint32_t label)
    {
        auto route = known(NHRP_ROUTE_FORWARD, prefix, label);
        route.link = node.link_to(to);
        return route;
    }

    // A packet's type and its label extensions: type, length, value.
    static void show(const Node &from, const Node &to, labelmesh::Bytes bytes)
    {
        static const std::map<int, const char *> types = {
            {NHRP_RESOLUTION_REQUEST, "Resolution Request"},
            {NHRP_RESOLUTION_REPLY, "Resolution Reply"},
            {NHRP_TRAFFIC_INDICATION, "Traffic Indication"},
        };
        const nhrp_packet decoded = nhrp::decode(bytes);
        std::cout << from.name << " to " << to.name << ": " << types.at(decoded.type) << '\n';
        for (const nhrp_extension &extension : nhrp::extensions(decoded))
            if (nhrp::check(nhrp_label_check(&extension, NHRP_OUI_DEFAULT)))
                // Type and length are the four bytes in front of the value.
                std::cout << "    " << labelmesh::hex({extension.value - 4, extension.len + 4})
                          << '\n';
    }

    const std::array<Node *, 3> nodes = {&hub, &spoke1, &spoke2};
};

} // namespace

int main()
{
    Net net;
    net.hub.engine.hairpin(net.now, 1, 2, std::array{10000u}, packet);
    net.run(600'000);

    auto damaged = net.sent.front();
    damaged.back() ^= 1;
    try {
        net.hub.engine.input(net.now, 1, damaged);
    } catch (const labelmesh::Error &error) {
        std::cout << "a damaged packet: " << error.what() << '\n';
        return EXIT_SUCCESS;
    }
    return EXIT_FAILURE;
}
