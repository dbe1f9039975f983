// SPDX-License-Identifier: Apache-2.0
// What wrappers of the libraries have in common: exceptions, owners, ranges over polls. C++20.
#pragma once

#include <cstdint>
#include <iomanip>
#include <memory>
#include <optional>
#include <span>
#include <sstream>
#include <stdexcept>
#include <string>
#include <utility>

namespace labelmesh
{

using Bytes = std::span<const std::uint8_t>;

/// A negative result; what() is the library's own name for it.
class Error : public std::runtime_error
{
  public:
    Error(std::int32_t rc, const char *name) : std::runtime_error(name), rc_(rc)
    {
    }
    std::int32_t rc() const noexcept
    {
        return rc_;
    }

  private:
    std::int32_t rc_;
};

/// Whether there is an item: X_YES, or X_OK.
inline bool check(std::int32_t rc, const char *(*name)(std::int32_t))
{
    if (rc < 0)
        throw Error(rc, name(rc));
    return rc == 1;
}

/// Owns an object of the library, which Free frees.
template <auto Free> struct Deleter {
    template <typename Object> void operator()(Object *object) const noexcept
    {
        Free(object);
    }
};
template <typename Object, auto Free> using Owner = std::unique_ptr<Object, Deleter<Free>>;

/// A struct with the defaults that its init function sets.
template <typename Struct> Struct with_defaults(std::int32_t (*init)(Struct *))
{
    Struct value{};
    init(&value); // fails on NULL only
    return value;
}

/// A struct for a getter, which wants to know its size.
template <typename Struct> Struct sized()
{
    Struct value{};
    value.struct_size = sizeof(value);
    return value;
}

/// for (auto &item : Polls([&] { return engine.poll_event(); })): until it yields nothing.
template <typename Poll> class Polls
{
  public:
    struct End {
    };
    class Iterator
    {
      public:
        explicit Iterator(Poll &poll) : poll_(poll), item_(poll_())
        {
        }
        auto &operator*()
        {
            return *item_;
        }
        void operator++()
        {
            item_ = poll_();
        }
        bool operator!=(End) const
        {
            return item_.has_value();
        }

      private:
        Poll &poll_;
        decltype(std::declval<Poll &>()()) item_;
    };

    explicit Polls(Poll poll) : poll_(std::move(poll))
    {
    }
    Iterator begin()
    {
        return Iterator(poll_);
    }
    End end()
    {
        return {};
    }

  private:
    Poll poll_;
};

/// An X_addr: the six types have one layout. Family 4 is IPv4.
template <typename Addr>
Addr ipv4(std::uint8_t a, std::uint8_t b, std::uint8_t c, std::uint8_t d,
          std::uint8_t prefix_len = 0, std::uint32_t scope = 0)
{
    return Addr{4, prefix_len, 0, scope, {a, b, c, d}};
}

template <typename Addr> std::string text(const Addr &addr)
{
    std::ostringstream out;
    for (int i = 0; i < 4; i++)
        out << (i ? "." : "") << unsigned{addr.bytes[i]};
    if (addr.prefix_len)
        out << '/' << unsigned{addr.prefix_len};
    return out.str();
}

inline std::string hex(Bytes bytes)
{
    std::ostringstream out;
    for (unsigned byte : bytes)
        out << std::hex << std::setw(2) << std::setfill('0') << byte;
    return out.str();
}

} // namespace labelmesh
