// SPDX-License-Identifier: Apache-2.0
// What nhrp.cpp uses of libnhrp, in C++: an engine that frees itself, spans, optionals, exceptions.
#pragma once

#include "labelmesh.hpp"

#include <nhrp/nhrp.h>
#include <vector>

namespace nhrp
{

using labelmesh::Bytes;

inline bool check(nhrp_rc rc)
{
    return labelmesh::check(rc, nhrp_rc_name);
}

struct Datagram {
    std::uint32_t link;
    std::vector<std::uint8_t> bytes;
};

class Engine
{
  public:
    explicit Engine(const nhrp_config &config, std::uint64_t now)
    {
        nhrp_engine *engine;
        check(nhrp_engine_new(&config, now, &engine));
        engine_.reset(engine);
    }

    void interface_add(std::uint64_t now, std::uint32_t id, const nhrp_interface_config &config)
    {
        check(nhrp_engine_interface_add(engine_.get(), now, id, &config));
    }

    void link_up(std::uint64_t now, std::uint32_t link, const nhrp_link_config &config)
    {
        check(nhrp_engine_link_up(engine_.get(), now, link, &config));
    }

    void hairpin(std::uint64_t now, std::uint32_t in_link, std::uint32_t out_link,
                 std::span<const std::uint32_t> labels, Bytes packet)
    {
        check(nhrp_engine_hairpin(engine_.get(), now, in_link, out_link, labels.data(),
                                  labels.size(), packet.data(), packet.size()));
    }

    void input(std::uint64_t now, std::uint32_t link, Bytes packet)
    {
        check(nhrp_engine_input(engine_.get(), now, link, nullptr, packet.data(), packet.size()));
    }

    /// Whether more is due, once the events have been drained.
    bool timeout(std::uint64_t now)
    {
        return check(nhrp_engine_timeout(engine_.get(), now));
    }
    std::uint64_t deadline() const
    {
        return nhrp_engine_deadline(engine_.get());
    }

    void answer_route(std::uint64_t now, std::uint64_t ask_id, const nhrp_route &route)
    {
        check(nhrp_engine_answer_route(engine_.get(), now, ask_id, &route));
    }

    auto events()
    {
        return labelmesh::Polls([this]() -> std::optional<nhrp_event> {
            nhrp_event event;
            if (!check(nhrp_engine_poll_event(engine_.get(), &event)))
                return std::nullopt;
            return event;
        });
    }

    auto outputs(std::uint64_t now)
    {
        return labelmesh::Polls([this, now]() -> std::optional<Datagram> {
            nhrp_output out;
            std::vector<std::uint8_t> bytes(2048);
            if (!check(
                    nhrp_engine_poll_output(engine_.get(), now, bytes.data(), bytes.size(), &out)))
                return std::nullopt;
            bytes.resize(out.len);
            return Datagram{out.link, std::move(bytes)};
        });
    }

    nhrp_question question(std::uint64_t ask_id) const
    {
        auto out = labelmesh::sized<nhrp_question>();
        check(nhrp_engine_get_question(engine_.get(), ask_id, &out));
        return out;
    }

    nhrp_mapping mapping(std::uint64_t id) const
    {
        auto out = labelmesh::sized<nhrp_mapping>();
        check(nhrp_engine_get_mapping(engine_.get(), id, &out));
        return out;
    }

  private:
    labelmesh::Owner<nhrp_engine, nhrp_engine_free> engine_;
};

/// Views the bytes that it is decoded from.
inline nhrp_packet decode(Bytes bytes)
{
    nhrp_packet packet;
    check(nhrp_packet_decode(bytes.data(), bytes.size(), &packet));
    return packet;
}

inline auto extensions(const nhrp_packet &packet)
{
    return labelmesh::Polls(
        [&packet, it = std::size_t{0}]() mutable -> std::optional<nhrp_extension> {
            nhrp_extension extension;
            if (!check(nhrp_extension_next(&packet, &it, &extension)))
                return std::nullopt;
            return extension;
        });
}

} // namespace nhrp
