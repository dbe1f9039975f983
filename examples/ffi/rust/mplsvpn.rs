// SPDX-License-Identifier: Apache-2.0
//! MPLS VPN forwarding: a customer's packet gets its label at one node and loses it at the next.
//!
//!     rustc --edition 2021 mplsvpn.rs $(pkg-config --libs mplsvpn)

mod labelmesh;
mod libmplsvpn;

use labelmesh::{Addr, Error};
use libmplsvpn::{Hop, Label, Reader, Table, HOP_LOCAL, HOP_TUNNEL, HOP_VRF, LABEL_BYTES};

const CUSTOMER: u32 = 7; // a VRF
const TUNNEL: u32 = 1; // the interface between the two nodes
const LABEL: u32 = 200; // what spoke2 advertised for 10.2.2.0/24

/// UDP from 10.1.1.101 to 10.2.2.102, TTL 64.
#[rustfmt::skip]
const PACKET: [u8; 28] = [
    0x45, 0, 0, 28, 0, 0, 0, 0, 64, 17, 0x63, 0x04, 10, 1, 1, 101, 10, 2, 2, 102,
    0, 0, 0, 0, 0, 0, 0, 0,
];

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{:02x}", byte)).collect()
}

fn new_node(seed: u8) -> Result<Table, Error> {
    let table = Table::new([seed; 32])?;
    table.vrf_add(CUSTOMER)?;
    table.interface_set(TUNNEL, CUSTOMER)?;
    Ok(table)
}

fn refused(what: &str, reader: &mut Reader, interface: u32, stack: &[[u8; 4]]) {
    let mut packet = [&stack.concat(), &PACKET[..]].concat();
    match reader.label_input(interface, &mut packet) {
        Err(error) => println!("{}: {}", what, error),
        Ok(_) => panic!("{} was taken", what),
    }
}

fn main() -> Result<(), Error> {
    // What each has learned: spoke1 pushes the label into the tunnel; at spoke2 it names the VRF,
    // which packets from the tunnel may enter.
    let prefix = Addr::prefix([10, 2, 2, 0], 24, 0);
    let spoke1 = new_node(1)?;
    let mut out = Hop { kind: HOP_TUNNEL, interface_id: TUNNEL, label_count: 1, ..Hop::default() };
    out.labels[0] = LABEL;
    spoke1.route_set(CUSTOMER, prefix, out)?;

    let spoke2 = new_node(2)?;
    spoke2.route_set(CUSTOMER, prefix, Hop { kind: HOP_LOCAL, ..Hop::default() })?;
    spoke2.interface_allow(TUNNEL, CUSTOMER)?;
    spoke2.label_reserve(0, LABEL)?;
    spoke2.label_bind(LABEL, Hop { kind: HOP_VRF, vrf: CUSTOMER, ..Hop::default() })?;
    println!("LFIB: label {} leads to VRF {}", LABEL, spoke2.lookup(TUNNEL, LABEL)?.vrf);

    // spoke1: the customer's route, then its label in front of the packet.
    let mut reader = spoke1.reader()?;
    let mut buffer = [&[0; LABEL_BYTES], &PACKET[..]].concat();
    let hop = reader.ip_input(CUSTOMER, &PACKET)?;
    let sent = reader.packet_push(&hop, &mut buffer, LABEL_BYTES)?;
    let mut wire = sent.of(&buffer).to_vec();
    let top = Label::decode(&wire)?;
    print!("sent on interface {}: {}, ", hop.interface_id, hex(&wire[..LABEL_BYTES]));
    println!("label {} class {} bottom {} TTL {}", top.value, top.tc, top.bottom, top.ttl);

    // spoke2: the label names the VRF, the VRF has the route.
    let mut reader = spoke2.reader()?;
    let (got, hop) = reader.label_input(TUNNEL, &mut wire)?;
    let inner = got.of(&wire);
    let route = reader.ip_input(hop.vrf, inner)?;
    assert_eq!((hop.kind, route.kind), (HOP_VRF, HOP_LOCAL));
    print!("label {} popped, delivered in VRF {}: ", got.label, route.vrf);
    println!("{}", hex(&inner[..20]));

    refused("label 201", &mut reader, TUNNEL, &[[0, 0x0c, 0x91, 63]]);
    refused("interface 2", &mut reader, 2, &[[0, 0x0c, 0x81, 63]]);
    refused("17 labels", &mut reader, TUNNEL, &[[0, 0x0c, 0x80, 63]; 17]);
    let drops = reader.counters()?;
    print!("dropped: {} no label, ", drops.drop_no_label);
    println!("{} not allowed, {} too deep", drops.drop_not_allowed, drops.drop_depth);
    Ok(())
}
