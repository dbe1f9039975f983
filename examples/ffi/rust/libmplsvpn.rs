// SPDX-License-Identifier: Apache-2.0
//! A safe wrapper of what mplsvpn.rs uses of libmplsvpn: objects that free themselves, results that
//! are `Result`s, packets that are slices. `ffi` is declared by hand from the headers.

use crate::labelmesh::{check, Addr, Error};
pub use ffi::{Counters, Hop, Label, Packet};
use std::marker::PhantomData;
use std::ptr::{null_mut, NonNull};

/// The headers, as they are in C.
mod ffi {
    use crate::labelmesh::{Addr, Allocator};
    use std::mem::size_of;
    use std::os::raw::c_char;

    #[repr(C)]
    #[derive(Default)]
    pub struct Config {
        pub struct_size: u32,
        pub first_label: u32,
        pub last_label: u32,
        pub max_labels: u32,
        pub max_vrfs: u32,
        pub max_routes: u32,
        pub max_interfaces: u32,
        pub max_readers: u32,
        pub ttl_model: u8,
        pub pipe_ttl: u8,
        pub pipe_tc: u8,
        pub reserved: [u8; 5],
        pub seed: [u8; 32],
        pub allocator: Allocator,
    }

    #[repr(C)]
    #[derive(Clone, Copy, Default)]
    pub struct Label {
        pub value: u32,
        pub tc: u8,
        pub bottom: u8,
        pub ttl: u8,
        pub padding: u8,
    }

    #[repr(C)]
    #[derive(Clone, Copy, Default)]
    pub struct Hop {
        pub cookie: u64,
        pub kind: u8,
        pub label_count: u8,
        pub flags: u8,
        pub reserved: u8,
        pub vrf: u32,
        pub interface_id: u32,
        pub reserved2: u32,
        pub next_hop: Addr,
        pub labels: [u32; 4],
    }

    #[repr(C)]
    #[derive(Clone, Copy, Default)]
    pub struct Packet {
        pub offset: u32,
        pub len: u32,
        pub protocol: u16,
        pub ttl: u8,
        pub tc: u8,
        pub label: u32,
    }

    #[repr(C)]
    #[derive(Clone, Copy, Default)]
    pub struct Counters {
        pub struct_size: u32,
        pub reserved: u32,
        pub ip_packets: u64,
        pub labeled_packets: u64,
        pub pushed_packets: u64,
        pub drop_truncated: u64,
        pub drop_checksum: u64,
        pub drop_version: u64,
        pub drop_malformed: u64,
        pub drop_ttl: u64,
        pub drop_no_bottom: u64,
        pub drop_depth: u64,
        pub drop_reserved: u64,
        pub drop_no_label: u64,
        pub drop_draining: u64,
        pub drop_not_allowed: u64,
        pub drop_no_route: u64,
        pub drop_discard: u64,
        pub drop_no_vrf: u64,
        pub drop_not_bottom: u64,
        pub drop_address: u64,
        pub drop_no_headroom: u64,
    }

    // The sizes in the header's comments, and in tests/abi: a member forgotten fails here.
    const _: () = assert!(size_of::<Config>() == 88);
    const _: () = assert!(size_of::<Label>() == 8 && size_of::<Hop>() == 64);
    const _: () = assert!(size_of::<Packet>() == 16 && size_of::<Counters>() == 168);

    pub enum Table {}
    pub enum Reader {}

    extern "C" {
        pub fn mplsvpn_rc_name(rc: i32) -> *const c_char;
        pub fn mplsvpn_config_init(cfg: *mut Config) -> i32;
        pub fn mplsvpn_table_new(cfg: *const Config, out: *mut *mut Table) -> i32;
        pub fn mplsvpn_table_free(t: *mut Table);
        pub fn mplsvpn_reader_new(t: *mut Table, out: *mut *mut Reader) -> i32;
        pub fn mplsvpn_reader_free(r: *mut Reader);
        pub fn mplsvpn_reader_get_counters(r: *const Reader, out: *mut Counters) -> i32;
        pub fn mplsvpn_vrf_add(t: *mut Table, vrf: u32) -> i32;
        pub fn mplsvpn_interface_set(t: *mut Table, interface: u32, vrf: u32) -> i32;
        pub fn mplsvpn_interface_allow(t: *mut Table, interface: u32, vrf: u32) -> i32;
        pub fn mplsvpn_route_set(
            t: *mut Table, vrf: u32, prefix: *const Addr, hop: *const Hop,
        ) -> i32;
        pub fn mplsvpn_label_reserve(t: *mut Table, owner: u64, label: u32) -> i32;
        pub fn mplsvpn_label_bind(t: *mut Table, label: u32, hop: *const Hop) -> i32;
        pub fn mplsvpn_label_decode(buf: *const u8, len: usize, out: *mut Label) -> i32;
        pub fn mplsvpn_table_lookup(t: *const Table, in_if: u32, label: u32, hop: *mut Hop) -> i32;
        pub fn mplsvpn_ip_input(
            r: *mut Reader, vrf: u32, packet: *const u8, len: usize, hop: *mut Hop,
        ) -> i32;
        pub fn mplsvpn_packet_push(
            r: *mut Reader, hop: *const Hop, buf: *mut u8, offset: usize, len: usize,
            out: *mut Packet,
        ) -> i32;
        pub fn mplsvpn_label_input(
            r: *mut Reader, in_if: u32, buf: *mut u8, offset: usize, len: usize, out: *mut Packet,
            hop: *mut Hop,
        ) -> i32;
    }
}

pub const HOP_LOCAL: u8 = 1;
pub const HOP_TUNNEL: u8 = 2;
pub const HOP_VRF: u8 = 3;
pub const LABEL_BYTES: usize = 4;

fn ok(rc: i32) -> Result<(), Error> {
    check(rc, ffi::mplsvpn_rc_name).map(|_| ())
}

/// All labels, VRFs, routes and interfaces of a node.
pub struct Table(NonNull<ffi::Table>);

impl Table {
    pub fn new(seed: [u8; 32]) -> Result<Table, Error> {
        let mut config = ffi::Config::default();
        let mut table = null_mut();
        unsafe {
            ok(ffi::mplsvpn_config_init(&mut config))?;
            config.seed = seed;
            ok(ffi::mplsvpn_table_new(&config, &mut table))?;
        }
        Ok(Table(NonNull::new(table).expect("made")))
    }

    pub fn vrf_add(&self, vrf: u32) -> Result<(), Error> {
        ok(unsafe { ffi::mplsvpn_vrf_add(self.0.as_ptr(), vrf) })
    }

    pub fn interface_set(&self, interface: u32, vrf: u32) -> Result<(), Error> {
        ok(unsafe { ffi::mplsvpn_interface_set(self.0.as_ptr(), interface, vrf) })
    }

    pub fn interface_allow(&self, interface: u32, vrf: u32) -> Result<(), Error> {
        ok(unsafe { ffi::mplsvpn_interface_allow(self.0.as_ptr(), interface, vrf) })
    }

    pub fn route_set(&self, vrf: u32, prefix: Addr, hop: Hop) -> Result<(), Error> {
        ok(unsafe { ffi::mplsvpn_route_set(self.0.as_ptr(), vrf, &prefix, &hop) })
    }

    pub fn label_reserve(&self, owner: u64, label: u32) -> Result<(), Error> {
        ok(unsafe { ffi::mplsvpn_label_reserve(self.0.as_ptr(), owner, label) })
    }

    pub fn label_bind(&self, label: u32, hop: Hop) -> Result<(), Error> {
        ok(unsafe { ffi::mplsvpn_label_bind(self.0.as_ptr(), label, &hop) })
    }

    pub fn lookup(&self, in_if: u32, label: u32) -> Result<Hop, Error> {
        let mut hop = Hop::default();
        ok(unsafe { ffi::mplsvpn_table_lookup(self.0.as_ptr(), in_if, label, &mut hop) })?;
        Ok(hop)
    }

    pub fn reader(&self) -> Result<Reader<'_>, Error> {
        let mut reader = null_mut();
        ok(unsafe { ffi::mplsvpn_reader_new(self.0.as_ptr(), &mut reader) })?;
        Ok(Reader(NonNull::new(reader).expect("made"), PhantomData))
    }
}

impl Drop for Table {
    fn drop(&mut self) {
        unsafe { ffi::mplsvpn_table_free(self.0.as_ptr()) }
    }
}

/// One thread's right to look things up. It goes before its table.
pub struct Reader<'table>(NonNull<ffi::Reader>, PhantomData<&'table Table>);

impl Reader<'_> {
    pub fn ip_input(&mut self, vrf: u32, packet: &[u8]) -> Result<Hop, Error> {
        let mut hop = Hop::default();
        ok(unsafe {
            let (packet, len) = (packet.as_ptr(), packet.len());
            ffi::mplsvpn_ip_input(self.0.as_ptr(), vrf, packet, len, &mut hop)
        })?;
        Ok(hop)
    }

    /// The packet is all of `buf` from `offset` on; what is before it is headroom.
    pub fn packet_push(
        &mut self, hop: &Hop, buf: &mut [u8], offset: usize,
    ) -> Result<Packet, Error> {
        let mut out = Packet::default();
        let len = buf[offset..].len();
        ok(unsafe {
            ffi::mplsvpn_packet_push(self.0.as_ptr(), hop, buf.as_mut_ptr(), offset, len, &mut out)
        })?;
        Ok(out)
    }

    pub fn label_input(&mut self, in_if: u32, buf: &mut [u8]) -> Result<(Packet, Hop), Error> {
        let (mut out, mut hop) = (Packet::default(), Hop::default());
        ok(unsafe {
            let (reader, len) = (self.0.as_ptr(), buf.len());
            ffi::mplsvpn_label_input(reader, in_if, buf.as_mut_ptr(), 0, len, &mut out, &mut hop)
        })?;
        Ok((out, hop))
    }

    pub fn counters(&self) -> Result<Counters, Error> {
        let struct_size = std::mem::size_of::<Counters>() as u32;
        let mut counters = Counters { struct_size, ..Default::default() };
        ok(unsafe { ffi::mplsvpn_reader_get_counters(self.0.as_ptr(), &mut counters) })?;
        Ok(counters)
    }
}

impl Drop for Reader<'_> {
    fn drop(&mut self) {
        unsafe { ffi::mplsvpn_reader_free(self.0.as_ptr()) }
    }
}

impl Label {
    pub fn decode(buf: &[u8]) -> Result<Label, Error> {
        let mut label = Label::default();
        ok(unsafe { ffi::mplsvpn_label_decode(buf.as_ptr(), buf.len(), &mut label) })?;
        Ok(label)
    }
}

impl Packet {
    /// The packet within its buffer.
    pub fn of<'buf>(&self, buf: &'buf [u8]) -> &'buf [u8] {
        &buf[self.offset as usize..][..self.len as usize]
    }
}
