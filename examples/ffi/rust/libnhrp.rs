// SPDX-License-Identifier: Apache-2.0
//! A safe wrapper of what nhrp.rs uses of libnhrp: an engine that frees itself, events that bring
//! along what their ids name, packets whose views cannot outlive their bytes. `ffi` is declared by
//! hand from the headers.

use crate::labelmesh::{check, Error};
pub use ffi::{LinkConfig, Mapping, Output, Question, Route};
use std::marker::PhantomData;
use std::mem::{size_of, MaybeUninit};
use std::ptr::{null, null_mut, NonNull};

/// The headers, as they are in C.
mod ffi {
    use crate::labelmesh::{Addr, Allocator};
    use std::mem::size_of;
    use std::os::raw::c_char;

    #[repr(C)]
    pub struct Config {
        pub struct_size: u32,
        pub vendor_oui: u32,
        pub allocator: Allocator,
        pub seed: [u8; 32],
        pub limits: [u32; 28], // first_registration_id to the end
    }

    #[repr(C)]
    pub struct InterfaceConfig {
        pub struct_size: u32,
        pub network_id: u32,
        pub flags: u32,
        pub authentication: u32,
        pub key: *const u8,
        pub key_len: usize,
        pub spi: u32,
        pub send_limit: u32,
        pub send_interval_ms: u32,
        pub max_packet_size: u16,
        pub holding_time_s: u16,
        pub hop_count: u8,
        pub reserved: [u8; 7],
    }

    #[repr(C)]
    pub struct LinkConfig {
        pub struct_size: u32,
        pub interface: u32,
        pub vrf: u32,
        pub flags: u32,
        pub local_nbma: Addr,
        pub local_protocol_ipv4: Addr,
        pub local_protocol_ipv6: Addr,
        pub peer_nbma: Addr,
        pub peer_protocol_ipv4: Addr,
        pub peer_protocol_ipv6: Addr,
        pub identity: *const u8,
        pub identity_len: usize,
    }

    #[repr(C)]
    pub struct Event {
        pub kind: u32,
        pub reason: i32,
        pub id: u64,
        pub ask_id: u64,
        pub link: u32,
        pub interface: u32,
        pub vrf: u32,
        pub code: u32,
        pub purpose: u32,
        pub reserved: [u8; 20],
    }

    #[repr(C)]
    #[derive(Default)]
    pub struct Question {
        pub struct_size: u32,
        pub purpose: u32,
        pub mapping_id: u64,
        pub deadline_ms: u64,
        pub link: u32,
        pub out_link: u32,
        pub interface: u32,
        pub vrf: u32,
        pub label_count: u32,
        pub labels: [u32; 4],
        pub reserved: u32,
        pub source: Addr,
        pub destination: Addr,
        pub prefix: Addr,
        pub nbma: Addr,
        pub protocol: Addr,
    }

    #[repr(C)]
    #[derive(Default)]
    pub struct Route {
        pub struct_size: u32,
        pub kind: u32,
        pub flags: u32,
        pub vrf: u32,
        pub link: u32,
        pub holding_time_s: u32,
        pub label_count: u32,
        pub labels: [u32; 4],
        pub reserved: u32,
        pub prefix: Addr,
        pub next_hop: Addr,
    }

    #[repr(C)]
    #[derive(Default)]
    pub struct Mapping {
        pub struct_size: u32,
        pub kind: u32,
        pub id: u64,
        pub created_ms: u64,
        pub expires_ms: u64,
        pub flags: u32,
        pub vrf: u32,
        pub link: u32,
        pub interface: u32,
        pub request_link: u32,
        pub failures: u32,
        pub holding_time_s: u32,
        pub mtu: u16,
        pub preference: u8,
        pub code: u8,
        pub label_count: u32,
        pub labels: [u32; 4],
        pub overlay_label_count: u32,
        pub overlay_labels: [u32; 4],
        pub prefix: Addr,
        pub destination: Addr,
        pub next_hop: Addr,
        pub nbma: Addr,
        pub claimed_nbma: Addr,
    }

    #[repr(C)]
    #[derive(Default)]
    pub struct Output {
        pub link: u32,
        pub kind: u32, // type, in C
        pub len: u64,
        pub to: Addr,
        pub reserved: [u8; 24],
    }

    #[repr(C)]
    pub struct Packet {
        pub kind: u8, // type, in C
        pub hop_count: u8,
        pub nbma_family: u8,
        pub protocol_family: u8,
        pub flags: u16,
        pub error_code: u16,
        pub error_offset: u16,
        pub traffic_code: u16,
        pub request_id: u32,
        pub source_nbma: Addr,
        pub source_protocol: Addr,
        pub destination_protocol: Addr,
        pub cies: *const u8,
        pub cies_len: usize,
        pub contents: *const u8,
        pub contents_len: usize,
        pub extensions: *const u8,
        pub extensions_len: usize,
        pub bytes: *const u8,
        pub size: usize,
    }

    #[repr(C)]
    pub struct Extension {
        pub kind: u16, // type, in C
        pub compulsory: u8,
        pub meaning: u8, // kind, in C
        pub reserved: u32,
        pub value: *const u8,
        pub len: usize,
    }

    // The sizes in tests/abi, for 64 bits: a member forgotten fails here.
    const _: () = assert!(size_of::<Config>() == 168 && size_of::<InterfaceConfig>() == 56);
    const _: () = assert!(size_of::<LinkConfig>() == 176 && size_of::<Event>() == 64);
    const _: () = assert!(size_of::<Question>() == 184 && size_of::<Route>() == 96);
    const _: () = assert!(size_of::<Mapping>() == 224 && size_of::<Output>() == 64);
    const _: () = assert!(size_of::<Packet>() == 152 && size_of::<Extension>() == 24);

    pub enum Engine {}

    extern "C" {
        pub fn nhrp_rc_name(rc: i32) -> *const c_char;
        pub fn nhrp_config_init(cfg: *mut Config) -> i32;
        pub fn nhrp_interface_config_init(cfg: *mut InterfaceConfig) -> i32;
        pub fn nhrp_link_config_init(cfg: *mut LinkConfig) -> i32;
        pub fn nhrp_engine_new(cfg: *const Config, now_ms: u64, out: *mut *mut Engine) -> i32;
        pub fn nhrp_engine_free(e: *mut Engine);
        pub fn nhrp_engine_interface_add(
            e: *mut Engine, now_ms: u64, interface: u32, cfg: *const InterfaceConfig,
        ) -> i32;
        pub fn nhrp_engine_link_up(
            e: *mut Engine, now_ms: u64, link: u32, cfg: *const LinkConfig,
        ) -> i32;
        pub fn nhrp_engine_hairpin(
            e: *mut Engine, now_ms: u64, in_link: u32, out_link: u32, labels: *const u32,
            label_count: usize, packet: *const u8, len: usize,
        ) -> i32;
        pub fn nhrp_engine_input(
            e: *mut Engine, now_ms: u64, link: u32, from: *const Addr, buf: *const u8, len: usize,
        ) -> i32;
        pub fn nhrp_engine_timeout(e: *mut Engine, now_ms: u64) -> i32;
        pub fn nhrp_engine_deadline(e: *const Engine) -> u64;
        pub fn nhrp_engine_answer_route(
            e: *mut Engine, now_ms: u64, ask_id: u64, route: *const Route,
        ) -> i32;
        pub fn nhrp_engine_poll_event(e: *mut Engine, ev: *mut Event) -> i32;
        pub fn nhrp_engine_poll_output(
            e: *mut Engine, now_ms: u64, buf: *mut u8, cap: usize, out: *mut Output,
        ) -> i32;
        pub fn nhrp_engine_get_question(e: *const Engine, ask_id: u64, out: *mut Question) -> i32;
        pub fn nhrp_engine_get_mapping(e: *const Engine, id: u64, out: *mut Mapping) -> i32;
        pub fn nhrp_packet_decode(buf: *const u8, len: usize, out: *mut Packet) -> i32;
        pub fn nhrp_extension_next(pkt: *const Packet, it: *mut usize, out: *mut Extension) -> i32;
        pub fn nhrp_label_check(extension: *const Extension, oui: u32) -> i32;
    }
}

const EVENT_ASK_ROUTE: u32 = 1;
const EVENT_ASK_TUNNEL: u32 = 2;
const EVENT_MAPPING_UP: u32 = 3;
const EVENT_MAPPING_DOWN: u32 = 4;
const OUI_DEFAULT: u32 = 0x024d50;

pub const PURPOSE_REDIRECT: u32 = 1;
pub const PURPOSE_INDICATION: u32 = 2;
pub const PURPOSE_REQUEST: u32 = 3;
pub const PURPOSE_REPLY: u32 = 5;
pub const ROUTE_LOCAL: u32 = 1;
pub const ROUTE_FORWARD: u32 = 2;
pub const ROUTE_SOURCE_LOCAL: u32 = 1;
pub const ROUTE_RECENT: u32 = 2;
pub const RESOLUTION_REQUEST: u8 = 1;
pub const RESOLUTION_REPLY: u8 = 2;
pub const TRAFFIC_INDICATION: u8 = 8;

fn ok(rc: i32) -> Result<bool, Error> {
    check(rc, ffi::nhrp_rc_name)
}

/// A struct with the defaults that its init function sets.
fn init<T>(function: unsafe extern "C" fn(*mut T) -> i32) -> T {
    let mut value = MaybeUninit::uninit();
    unsafe {
        function(value.as_mut_ptr()); // fails on NULL only, and writes all of it
        value.assume_init()
    }
}

/// An event, with a copy of what its id names.
pub enum Event {
    AskRoute(u64, Question),
    AskTunnel(Question), // a link_up that fits is the answer
    MappingUp(Mapping),
    MappingDown(Mapping),
    Other,
}

/// All NHRP state of a node.
pub struct Engine(NonNull<ffi::Engine>);

// One thread at a time, whichever: `&mut self` sees to it.
unsafe impl Send for Engine {}

impl Engine {
    pub fn new(seed: [u8; 32], now_ms: u64) -> Result<Engine, Error> {
        let config = ffi::Config { seed, ..init(ffi::nhrp_config_init) };
        let mut engine = null_mut();
        ok(unsafe { ffi::nhrp_engine_new(&config, now_ms, &mut engine) })?;
        Ok(Engine(NonNull::new(engine).expect("made")))
    }

    pub fn interface_add(&mut self, now_ms: u64, interface: u32) -> Result<(), Error> {
        let config = init(ffi::nhrp_interface_config_init);
        ok(unsafe { ffi::nhrp_engine_interface_add(self.0.as_ptr(), now_ms, interface, &config) })?;
        Ok(())
    }

    pub fn link_up(&mut self, now_ms: u64, link: u32, config: &LinkConfig) -> Result<(), Error> {
        ok(unsafe { ffi::nhrp_engine_link_up(self.0.as_ptr(), now_ms, link, config) })?;
        Ok(())
    }

    pub fn hairpin(
        &mut self, now_ms: u64, (in_link, out_link): (u32, u32), labels: &[u32], packet: &[u8],
    ) -> Result<(), Error> {
        let (label_count, len) = (labels.len(), packet.len());
        let (labels, packet) = (labels.as_ptr(), packet.as_ptr());
        ok(unsafe {
            let engine = self.0.as_ptr();
            ffi::nhrp_engine_hairpin(
                engine,
                now_ms,
                in_link,
                out_link,
                labels,
                label_count,
                packet,
                len,
            )
        })?;
        Ok(())
    }

    pub fn input(&mut self, now_ms: u64, link: u32, packet: &[u8]) -> Result<(), Error> {
        let (buf, len) = (packet.as_ptr(), packet.len());
        ok(unsafe { ffi::nhrp_engine_input(self.0.as_ptr(), now_ms, link, null(), buf, len) })?;
        Ok(())
    }

    /// Whether more is due, once the events have been drained.
    pub fn timeout(&mut self, now_ms: u64) -> Result<bool, Error> {
        ok(unsafe { ffi::nhrp_engine_timeout(self.0.as_ptr(), now_ms) })
    }

    pub fn deadline(&self) -> u64 {
        unsafe { ffi::nhrp_engine_deadline(self.0.as_ptr()) }
    }

    pub fn answer_route(&mut self, now_ms: u64, ask_id: u64, route: &Route) -> Result<(), Error> {
        ok(unsafe { ffi::nhrp_engine_answer_route(self.0.as_ptr(), now_ms, ask_id, route) })?;
        Ok(())
    }

    /// What happened, until there is no more.
    pub fn events(&mut self) -> impl Iterator<Item = Result<Event, Error>> + '_ {
        std::iter::from_fn(move || self.poll_event().transpose())
    }

    fn poll_event(&mut self) -> Result<Option<Event>, Error> {
        let mut event = MaybeUninit::uninit();
        if !ok(unsafe { ffi::nhrp_engine_poll_event(self.0.as_ptr(), event.as_mut_ptr()) })? {
            return Ok(None);
        }
        let event: ffi::Event = unsafe { event.assume_init() };
        Ok(Some(match event.kind {
            EVENT_ASK_ROUTE => Event::AskRoute(event.ask_id, self.question(event.ask_id)?),
            EVENT_ASK_TUNNEL => Event::AskTunnel(self.question(event.ask_id)?),
            EVENT_MAPPING_UP => Event::MappingUp(self.mapping(event.id)?),
            EVENT_MAPPING_DOWN => Event::MappingDown(self.mapping(event.id)?),
            _ => Event::Other,
        }))
    }

    fn question(&self, ask_id: u64) -> Result<Question, Error> {
        let struct_size = size_of::<Question>() as u32;
        let mut out = Question { struct_size, ..Default::default() };
        ok(unsafe { ffi::nhrp_engine_get_question(self.0.as_ptr(), ask_id, &mut out) })?;
        Ok(out)
    }

    fn mapping(&self, id: u64) -> Result<Mapping, Error> {
        let struct_size = size_of::<Mapping>() as u32;
        let mut out = Mapping { struct_size, ..Default::default() };
        ok(unsafe { ffi::nhrp_engine_get_mapping(self.0.as_ptr(), id, &mut out) })?;
        Ok(out)
    }

    /// What is to be sent, until there is no more.
    pub fn outputs(
        &mut self, now_ms: u64,
    ) -> impl Iterator<Item = Result<(Output, Vec<u8>), Error>> + '_ {
        std::iter::from_fn(move || {
            let (mut buf, mut out) = (vec![0; 2048], Output::default());
            let rc = unsafe {
                let (engine, cap) = (self.0.as_ptr(), buf.len());
                ffi::nhrp_engine_poll_output(engine, now_ms, buf.as_mut_ptr(), cap, &mut out)
            };
            buf.truncate(out.len as usize);
            ok(rc).map(|yes| yes.then_some((out, buf))).transpose()
        })
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        unsafe { ffi::nhrp_engine_free(self.0.as_ptr()) }
    }
}

impl LinkConfig {
    pub fn new() -> LinkConfig {
        init(ffi::nhrp_link_config_init)
    }
}

impl Route {
    /// No route: change what is known.
    pub fn new() -> Route {
        Route { struct_size: size_of::<Route>() as u32, ..Default::default() }
    }
}

/// A decoded packet: it views the bytes that it was decoded from.
pub struct Packet<'buf>(ffi::Packet, PhantomData<&'buf [u8]>);

/// An extension of a packet.
pub struct Extension<'buf> {
    pub kind: u16,
    pub value: &'buf [u8],
    pub is_label: bool,
}

impl<'buf> Packet<'buf> {
    pub fn decode(buf: &'buf [u8]) -> Result<Packet<'buf>, Error> {
        let mut packet = MaybeUninit::uninit();
        ok(unsafe { ffi::nhrp_packet_decode(buf.as_ptr(), buf.len(), packet.as_mut_ptr()) })?;
        Ok(Packet(unsafe { packet.assume_init() }, PhantomData))
    }

    pub fn kind(&self) -> u8 {
        self.0.kind
    }

    pub fn extensions(&self) -> impl Iterator<Item = Extension<'buf>> + '_ {
        let mut position = 0;
        std::iter::from_fn(move || {
            let mut next = MaybeUninit::uninit();
            // It cannot fail on what the decoder has taken.
            if unsafe { ffi::nhrp_extension_next(&self.0, &mut position, next.as_mut_ptr()) } != 1 {
                return None;
            }
            let next: ffi::Extension = unsafe { next.assume_init() };
            let value = match next.len {
                0 => &[], // its pointer is NULL
                len => unsafe { std::slice::from_raw_parts(next.value, len) },
            };
            let is_label = unsafe { ffi::nhrp_label_check(&next, OUI_DEFAULT) } == 1;
            Some(Extension { kind: next.kind, value, is_label })
        })
    }
}
