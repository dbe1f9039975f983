// SPDX-License-Identifier: Apache-2.0
// NHRP: a hub redirects spoke1 to spoke2, with the labels of a VRF; three engines, virtual time.
//
// spoke1 has 10.1.1.0/24 behind it (its label 100), spoke2 10.2.2.0/24 (label 200), and the hub
// advertises 10.0.0.0/8 (label 10000), all in one VRF. docs/nhrp.md draws the exchange.
import { load } from './labelmesh.mjs';

const nhrp = load('nhrp');
const CUSTOMER = 7; // the VRF
// UDP from 10.1.1.101 to 10.2.2.102, as the hub has seen it go back where it came from.
const PACKET = Buffer.from('4500001c00000000401163040a0101650a0202660000000000000000', 'hex');
const TYPES = {
    [nhrp.RESOLUTION_REQUEST]: 'Resolution Request',
    [nhrp.RESOLUTION_REPLY]: 'Resolution Reply',
    [nhrp.TRAFFIC_INDICATION]: 'Traffic Indication',
};

/** An engine, and the peer at the other end of each of its links. */
class Node {
    constructor(name, tunnel, nbma) {
        Object.assign(this, { name, tunnel, nbma, peers: new Map() });
        // In earnest the seed is crypto.randomBytes(32); here the run shall repeat.
        const seed = Buffer.from(name.padEnd(32));
        this.engine = nhrp.create('engine', nhrp.struct('config', { seed }), now);
        this.engine.interface_add(now, 1, nhrp.struct('interface_config'));
    }

    connect(link, peer) {
        this.peers.set(link, peer);
        this.engine.link_up(now, link, nhrp.struct('link_config', {
            interface: 1,
            local_nbma: nhrp.address(this.nbma), peer_nbma: nhrp.address(peer.nbma),
            local_protocol_ipv4: nhrp.address(this.tunnel),
            peer_protocol_ipv4: nhrp.address(peer.tunnel),
        }));
    }

    linkTo(peer) {
        return [...this.peers].find(([, other]) => other === peer)[0];
    }

    /** What the node's routing tables say: the answer to a route question. */
    route({ purpose }) {
        const forward = (to, prefix, label) => ({ kind: nhrp.ROUTE_FORWARD, to, prefix, label });
        const local = (prefix, label) => ({ kind: nhrp.ROUTE_LOCAL, prefix, label });
        const known = {
            hub: {
                [nhrp.PURPOSE_REDIRECT]: forward(spoke1, '10.1.1.0/24', 100), // of the source
                [nhrp.PURPOSE_REQUEST]: forward(spoke2, '10.2.2.0/24', 200), // the next hop's label
            },
            spoke1: {
                [nhrp.PURPOSE_INDICATION]: forward(hub, '10.0.0.0/8', 10000), // the way so far
                [nhrp.PURPOSE_REPLY]: local('10.2.2.0/24'), // take what is offered
            },
            spoke2: {
                [nhrp.PURPOSE_REQUEST]: local('10.2.2.0/24', 200), // here it is
            },
        }[this.name][purpose];
        if (!known)
            return nhrp.struct('route'); // none
        return nhrp.struct('route', {
            kind: known.kind, vrf: CUSTOMER, link: known.to ? this.linkTo(known.to) : 0,
            flags: nhrp.ROUTE_SOURCE_LOCAL | nhrp.ROUTE_RECENT,
            labels: [known.label ?? 0], label_count: known.label ? 1 : 0,
            prefix: nhrp.address(known.prefix, CUSTOMER),
        });
    }

    apply(event) {
        switch (event.kind) {
        case nhrp.EVENT_ASK_ROUTE: {
            const question = this.engine.get_question(event.ask_id);
            this.engine.answer_route(now, event.ask_id, this.route(question));
            break;
        }
        case nhrp.EVENT_ASK_TUNNEL: { // IKEv2's work; here it is up at once
            const { nbma } = this.engine.get_question(event.ask_id);
            console.log(`${this.name} brings a tunnel up to ${nhrp.text(nbma)}`);
            spoke1.connect(2, spoke2);
            spoke2.connect(2, spoke1);
            break;
        }
        case nhrp.EVENT_MAPPING_UP: {
            const { prefix, nbma, labels, label_count } = this.engine.get_mapping(event.id);
            console.log(`${this.name} maps ${nhrp.text(prefix)} to ${nhrp.text(nbma)}, ` +
                `labels ${labels.slice(0, label_count).join(' ')}`);
            break;
        }
        case nhrp.EVENT_MAPPING_DOWN: {
            const { prefix } = this.engine.get_mapping(event.id);
            console.log(`${this.name} forgets ${nhrp.text(prefix)} after ${now / 1000} s`);
        }
        }
    }
}

/** A packet's type and its label extensions: type, length, value. */
function show(node, peer, packet) {
    const decoded = nhrp.packet_decode(packet, packet.length);
    console.log(`${node.name} to ${peer.name}: ${TYPES[decoded.type]}`);
    const position = [0];
    for (let extension; (extension = nhrp.extension_next(decoded, position)) !== null;) {
        if (nhrp.label_check(extension, nhrp.OUI_DEFAULT) === nhrp.YES) {
            const head = Buffer.alloc(4);
            head.writeUInt16BE(extension.type, 0);
            head.writeUInt16BE(extension.len, 2);
            const value = nhrp.bytes(extension.value, extension.len);
            console.log(`    ${head.toString('hex')}${value.toString('hex')}`);
        }
    }
}

/** The wire. */
function deliver(node, link, packet) {
    const peer = node.peers.get(link);
    show(node, peer, packet);
    sent.push(packet);
    peer.engine.input(now, peer.linkTo(node), null, packet, packet.length);
}

/** Events first, then outputs, until nobody sends any more. */
function exchange() {
    for (let before = -1; before !== sent.length;) {
        before = sent.length;
        for (const node of nodes) {
            for (const event of node.engine.events())
                node.apply(event);
            for (const [output, packet] of node.engine.outputs(now))
                deliver(node, output.link, packet);
        }
    }
}

/** The loop of docs/loop.md, with deadlines in place of a clock. */
function run(until) {
    const earliest = (due, node) => (node.engine.deadline() < due ? node.engine.deadline() : due);
    exchange();
    for (let due; (due = nodes.reduce(earliest, nhrp.NEVER)) <= until;) {
        now = due;
        for (const node of nodes)
            node.engine.timeout(now);
        exchange();
    }
    now = until;
}

let now = 0;
const sent = [];
const hub = new Node('hub', '172.16.1.1', '192.168.1.1');
const spoke1 = new Node('spoke1', '172.16.1.11', '192.168.1.11');
const spoke2 = new Node('spoke2', '172.16.1.12', '192.168.1.12');
const nodes = [hub, spoke1, spoke2];
for (const [index, spoke] of [spoke1, spoke2].entries()) {
    hub.connect(index + 1, spoke);
    spoke.connect(1, hub);
}

hub.engine.hairpin(now, 1, 2, [10000], 1, PACKET, PACKET.length);
run(600_000);

const damaged = Buffer.from(sent[0]);
damaged[damaged.length - 1] ^= 1;
try {
    hub.engine.input(now, 1, null, damaged, damaged.length);
} catch (error) {
    console.log(`a damaged packet: ${error.code}`);
}

for (const node of nodes)
    node.engine.free();
