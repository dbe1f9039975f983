// SPDX-License-Identifier: Apache-2.0
// MPLS VPN forwarding: a customer's packet gets its label at one node and loses it at the next.
import { load } from './labelmesh.mjs';

const mplsvpn = load('mplsvpn');
const CUSTOMER = 7; // a VRF
const TUNNEL = 1; // the interface between the two nodes
const LABEL = 200; // what spoke2 advertised for 10.2.2.0/24
const HEADROOM = mplsvpn.LABEL_BYTES;
// UDP from 10.1.1.101 to 10.2.2.102, TTL 64.
const PACKET = Buffer.from('4500001c00000000401163040a0101650a0202660000000000000000', 'hex');

function newNode(seed) {
    const table = mplsvpn.create('table', mplsvpn.struct('config', { seed }));
    mplsvpn.vrf_add(table, CUSTOMER);
    mplsvpn.interface_set(table, TUNNEL, CUSTOMER);
    return [table, mplsvpn.create('reader', table)];
}

function addRoute(table, prefix, hop) {
    mplsvpn.route_set(table, CUSTOMER, mplsvpn.address(prefix), mplsvpn.struct('hop', hop));
}

// What each has learned: spoke1 pushes the label into the tunnel; at spoke2 it names the VRF, which
// packets from the tunnel may enter.
const [table1, reader1] = newNode(Buffer.alloc(32, 1));
addRoute(table1, '10.2.2.0/24', {
    kind: mplsvpn.HOP_TUNNEL, interface_id: TUNNEL, label_count: 1, labels: [LABEL],
});
const [table2, reader2] = newNode(Buffer.alloc(32, 2));
addRoute(table2, '10.2.2.0/24', { kind: mplsvpn.HOP_LOCAL });
mplsvpn.interface_allow(table2, TUNNEL, CUSTOMER);
mplsvpn.label_reserve(table2, 0, LABEL);
mplsvpn.label_bind(table2, LABEL, mplsvpn.struct('hop', { kind: mplsvpn.HOP_VRF, vrf: CUSTOMER }));
console.log(`LFIB: label ${LABEL} leads to VRF ${table2.lookup(TUNNEL, LABEL).vrf}`);

// spoke1: the customer's route, then its label in front of the packet.
const buffer = Buffer.concat([Buffer.alloc(HEADROOM), PACKET]);
const out = mplsvpn.ip_input(reader1, CUSTOMER, PACKET, PACKET.length);
const sent = mplsvpn.packet_push(reader1, out, buffer, HEADROOM, PACKET.length);
const wire = Buffer.from(buffer.subarray(sent.offset, sent.offset + sent.len));
const top = mplsvpn.label_decode(wire, wire.length);
console.log(`sent on interface ${out.interface_id}: ${wire.toString('hex', 0, HEADROOM)}, ` +
    `label ${top.value} class ${top.tc} bottom ${top.bottom} TTL ${top.ttl}`);

// spoke2: the label names the VRF, the VRF has the route.
const [got, vrf] = mplsvpn.label_input(reader2, TUNNEL, wire, 0, wire.length);
const inner = wire.subarray(got.offset, got.offset + got.len);
const route = mplsvpn.ip_input(reader2, vrf.vrf, inner, inner.length);
if (vrf.kind !== mplsvpn.HOP_VRF || route.kind !== mplsvpn.HOP_LOCAL)
    throw new Error('it went elsewhere');
console.log(`label ${got.label} popped, delivered in VRF ${route.vrf}: ` +
    inner.toString('hex', 0, 20));

function refused(what, interfaceId, entry) {
    const bad = Buffer.concat([Buffer.from(entry, 'hex'), PACKET]);
    try {
        mplsvpn.label_input(reader2, interfaceId, bad, 0, bad.length);
    } catch (error) {
        console.log(`${what}: ${error.code}`);
    }
}

refused('label 201', TUNNEL, '000c913f');
refused('interface 2', 2, '000c813f');
refused('17 labels', TUNNEL, '000c803f'.repeat(17));
const drops = reader2.get_counters();
console.log(`dropped: ${drops.drop_no_label} no label, ${drops.drop_not_allowed} not allowed, ` +
    `${drops.drop_depth} too deep`);

for (const object of [reader1, reader2, table1, table2])
    object.free();
