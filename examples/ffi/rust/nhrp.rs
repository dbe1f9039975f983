// SPDX-License-Identifier: Apache-2.0
//! NHRP: a hub redirects spoke1 to spoke2, with the labels of a VRF; three engines, virtual time.
//!
//! spoke1 has 10.1.1.0/24 behind it (its label 100), spoke2 10.2.2.0/24 (label 200), and the hub
//! advertises 10.0.0.0/8 (label 10000), all in one VRF. docs/nhrp.md draws the exchange.
//!
//!     rustc --edition 2021 nhrp.rs $(pkg-config --libs nhrp)

mod labelmesh;
mod libnhrp;

use labelmesh::{Addr, Error};
use libnhrp::*;

const CUSTOMER: u32 = 7; // the VRF

/// UDP from 10.1.1.101 to 10.2.2.102, as the hub has seen it go back where it came from.
#[rustfmt::skip]
const PACKET: [u8; 28] = [
    0x45, 0, 0, 28, 0, 0, 0, 0, 64, 17, 0x63, 0x04, 10, 1, 1, 101, 10, 2, 2, 102,
    0, 0, 0, 0, 0, 0, 0, 0,
];

// Places in Net::nodes.
const HUB: usize = 0;
const SPOKE1: usize = 1;
const SPOKE2: usize = 2;

/// An engine, and the node at the other end of each of its links.
struct Node {
    name: &'static str,
    tunnel: Addr,
    nbma: Addr,
    engine: Engine,
    peers: Vec<(u32, usize)>,
}

impl Node {
    fn new(name: &'static str, tunnel: [u8; 4], nbma: [u8; 4]) -> Result<Node, Error> {
        // In earnest the seed is random; here the run shall repeat.
        let mut engine = Engine::new([tunnel[3]; 32], 0)?;
        engine.interface_add(0, 1)?;
        let (tunnel, nbma) = (Addr::host(tunnel), Addr::host(nbma));
        Ok(Node { name, tunnel, nbma, engine, peers: Vec::new() })
    }

    fn link_to(&self, peer: usize) -> u32 {
        self.peers.iter().find(|(_, other)| *other == peer).expect("they are connected").0
    }

    fn peer_of(&self, link: u32) -> usize {
        self.peers.iter().find(|(other, _)| *other == link).expect("the link is up").1
    }
}

struct Net {
    now: u64,
    nodes: [Node; 3],
    sent: Vec<Vec<u8>>,
}

impl Net {
    fn connect(&mut self, a: usize, link: u32, b: usize) -> Result<(), Error> {
        let (peer_nbma, peer_protocol_ipv4) = (self.nodes[b].nbma, self.nodes[b].tunnel);
        let (local_nbma, local_protocol_ipv4) = (self.nodes[a].nbma, self.nodes[a].tunnel);
        self.nodes[a].peers.push((link, b));
        self.nodes[a].engine.link_up(
            self.now,
            link,
            &LinkConfig {
                interface: 1,
                local_nbma,
                peer_nbma,
                local_protocol_ipv4,
                peer_protocol_ipv4,
                ..LinkConfig::new()
            },
        )
    }

    /// What the node's routing tables say: the answer to a route question.
    fn route(&self, node: usize, question: &Question) -> Route {
        let known = |kind, link, prefix: ([u8; 4], u8), label: Option<u32>| Route {
            kind,
            link,
            vrf: CUSTOMER,
            flags: ROUTE_SOURCE_LOCAL | ROUTE_RECENT,
            label_count: label.is_some() as u32,
            labels: [label.unwrap_or(0), 0, 0, 0],
            prefix: Addr::prefix(prefix.0, prefix.1, CUSTOMER),
            ..Route::new()
        };
        let forward = |to, prefix, label| {
            known(ROUTE_FORWARD, self.nodes[node].link_to(to), prefix, Some(label))
        };
        let local = |prefix, label| known(ROUTE_LOCAL, 0, prefix, label);
        match (node, question.purpose) {
            // The route of the packet's source.
            (HUB, PURPOSE_REDIRECT) => forward(SPOKE1, ([10, 1, 1, 0], 24), 100),
            // The way that packets have taken so far.
            (SPOKE1, PURPOSE_INDICATION) => forward(HUB, ([10, 0, 0, 0], 8), 10000),
            // On, with the label of the next hop.
            (HUB, PURPOSE_REQUEST) => forward(SPOKE2, ([10, 2, 2, 0], 24), 200),
            // Here it is.
            (SPOKE2, PURPOSE_REQUEST) => local(([10, 2, 2, 0], 24), Some(200)),
            // Take what is offered.
            (SPOKE1, PURPOSE_REPLY) => local(([10, 2, 2, 0], 24), None),
            _ => Route::new(),
        }
    }

    fn apply(&mut self, node: usize, event: Event) -> Result<(), Error> {
        let name = self.nodes[node].name;
        match event {
            Event::AskRoute(ask_id, question) => {
                let route = self.route(node, &question);
                self.nodes[node].engine.answer_route(self.now, ask_id, &route)?;
            }
            // IKEv2's work; here it is up at once.
            Event::AskTunnel(question) => {
                println!("{} brings a tunnel up to {}", name, question.nbma);
                self.connect(SPOKE1, 2, SPOKE2)?;
                self.connect(SPOKE2, 2, SPOKE1)?;
            }
            Event::MappingUp(mapping) => {
                print!("{} maps {} to {}, labels", name, mapping.prefix, mapping.nbma);
                for label in &mapping.labels[..mapping.label_count as usize] {
                    print!(" {}", label);
                }
                println!();
            }
            Event::MappingDown(mapping) => {
                println!("{} forgets {} after {} s", name, mapping.prefix, self.now / 1000);
            }
            Event::Other => {}
        }
        Ok(())
    }

    /// The wire.
    fn deliver(&mut self, from: usize, link: u32, packet: Vec<u8>) -> Result<(), Error> {
        let to = self.nodes[from].peer_of(link);
        show(self.nodes[from].name, self.nodes[to].name, &packet)?;
        let link = self.nodes[to].link_to(from);
        self.nodes[to].engine.input(self.now, link, &packet)?;
        self.sent.push(packet);
        Ok(())
    }

    /// Events first, then outputs, until nobody sends any more.
    fn exchange(&mut self) -> Result<(), Error> {
        let mut before = usize::MAX;
        while before != self.sent.len() {
            before = self.sent.len();
            for i in 0..self.nodes.len() {
                for event in self.nodes[i].engine.events().collect::<Vec<_>>() {
                    self.apply(i, event?)?;
                }
                for output in self.nodes[i].engine.outputs(self.now).collect::<Vec<_>>() {
                    let (output, packet) = output?;
                    self.deliver(i, output.link, packet)?;
                }
            }
        }
        Ok(())
    }

    /// The loop of docs/loop.md, with deadlines in place of a clock.
    fn run(&mut self, until: u64) -> Result<(), Error> {
        self.exchange()?;
        while let Some(due) = self.nodes.iter().map(|node| node.engine.deadline()).min() {
            if due > until {
                break;
            }
            self.now = due.max(self.now);
            for node in &mut self.nodes {
                node.engine.timeout(self.now)?;
            }
            self.exchange()?;
        }
        self.now = until;
        Ok(())
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{:02x}", byte)).collect()
}

/// A packet's type and its label extensions: type, length, value.
fn show(from: &str, to: &str, packet: &[u8]) -> Result<(), Error> {
    let packet = Packet::decode(packet)?;
    println!(
        "{} to {}: {}",
        from,
        to,
        match packet.kind() {
            RESOLUTION_REQUEST => "Resolution Request",
            RESOLUTION_REPLY => "Resolution Reply",
            TRAFFIC_INDICATION => "Traffic Indication",
            _ => "?",
        }
    );
    for extension in packet.extensions().filter(|extension| extension.is_label) {
        let value = extension.value;
        println!("    {:04x}{:04x}{}", extension.kind, value.len(), hex(value));
    }
    Ok(())
}

fn main() -> Result<(), Error> {
    let nodes = [
        Node::new("hub", [172, 16, 1, 1], [192, 168, 1, 1])?,
        Node::new("spoke1", [172, 16, 1, 11], [192, 168, 1, 11])?,
        Node::new("spoke2", [172, 16, 1, 12], [192, 168, 1, 12])?,
    ];
    let mut net = Net { now: 0, nodes, sent: Vec::new() };
    for spoke in [SPOKE1, SPOKE2] {
        net.connect(HUB, spoke as u32, spoke)?;
        net.connect(spoke, 1, HUB)?;
    }

    net.nodes[HUB].engine.hairpin(net.now, (1, 2), &[10000], &PACKET)?;
    net.run(600_000)?;

    let mut damaged = net.sent[0].clone();
    *damaged.last_mut().expect("it has bytes") ^= 1;
    match net.nodes[HUB].engine.input(net.now, 1, &damaged) {
        Err(error) => println!("a damaged packet: {}", error),
        Ok(()) => panic!("a damaged packet was taken"),
    }
    Ok(())
}
