// SPDX-License-Identifier: Apache-2.0
//! What the libraries have in common: addresses, allocators, results. Their layouts are the same in
//! each of them.

#![allow(dead_code)] // each program uses a part of it

use std::ffi::CStr;
use std::fmt;
use std::net::Ipv4Addr;
use std::os::raw::{c_char, c_void};

/// X_addr.
#[repr(C)]
#[derive(Clone, Copy, Default)]
pub struct Addr {
    pub family: u8,
    pub prefix_len: u8,
    pub port: u16,
    pub scope: u32,
    pub bytes: [u8; 16],
}

impl Addr {
    pub fn host(ip: [u8; 4]) -> Addr {
        Addr::prefix(ip, 0, 0)
    }

    pub fn prefix(ip: [u8; 4], prefix_len: u8, scope: u32) -> Addr {
        let mut addr = Addr { family: 4, prefix_len, scope, ..Default::default() };
        addr.bytes[..4].copy_from_slice(&ip);
        addr
    }
}

impl fmt::Display for Addr {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let [a, b, c, d, ..] = self.bytes;
        write!(f, "{}", Ipv4Addr::new(a, b, c, d))?;
        match self.prefix_len {
            0 => Ok(()),
            len => write!(f, "/{}", len),
        }
    }
}

/// X_allocator. The default is the C library's.
#[repr(C)]
pub struct Allocator {
    pub resize: Option<extern "C" fn(*mut c_void, *mut c_void, usize) -> *mut c_void>,
    pub user: *mut c_void,
}

impl Default for Allocator {
    fn default() -> Allocator {
        Allocator { resize: None, user: std::ptr::null_mut() }
    }
}

const _: () = assert!(std::mem::size_of::<Addr>() == 24);
const _: () = assert!(std::mem::size_of::<Allocator>() == 2 * std::mem::size_of::<usize>());

/// A negative result, by the library's own name for it.
#[derive(Debug, PartialEq, Eq)]
pub struct Error {
    pub rc: i32,
    pub name: &'static str,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(self.name)
    }
}

impl std::error::Error for Error {}

/// Whether there is an item: X_YES, or X_OK.
pub fn check(rc: i32, name: unsafe extern "C" fn(i32) -> *const c_char) -> Result<bool, Error> {
    if rc >= 0 {
        return Ok(rc == 1);
    }
    // X_rc_name returns static strings.
    let name = unsafe { CStr::from_ptr(name(rc)) };
    Err(Error { rc, name: name.to_str().unwrap_or("?") })
}
