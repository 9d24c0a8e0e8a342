//! Saved indexes and graphs, damaged: whatever is read can be searched, changed, saved and read again.

use super::Target;
use super::random::Random;
use onhand::index::{IndexConfig, Metric, Mode, Part, Precision, VectorIndex};

pub struct IndexBytes {
    seeds: Vec<Vec<u8>>,
    graphs: Vec<(Vec<u8>, Vec<u8>)>,
    n_read: u64,
    n_graphs: u64,
}

/// Where the checksums are: `docs/format-index.md`.
const GRAPH_CRC: usize = 28;
const ROWS_CRC: usize = 32;

impl Target for IndexBytes {
    const NAME: &'static str = "index_bytes";
    const KEPT: &'static [&'static [u8]] = &[
        // A length that points beyond the end, and nothing after it.
        b"\xff\xff\xff\xffonvx",
        b"",
    ];

    fn new() -> IndexBytes {
        let mut random = Random::new(7);
        let mut seeds = Vec::new();
        let mut graphs = Vec::new();
        for (mode, metric, precision, n) in [
            (Mode::Scan, Metric::Cosine, Precision::Full, 3),
            (Mode::Scan, Metric::Dot, Precision::Compact, 70),
            (Mode::Hnsw, Metric::Cosine, Precision::Full, 40),
            (Mode::Auto, Metric::Euclidean, Precision::Compact, 150),
        ] {
            let mut index = VectorIndex::new(IndexConfig {
                mode,
                metric,
                precision,
                ..IndexConfig::new(16 + n % 3)
            });
            for id in 0..n as u32 {
                let vector = random.vector(index.config().dimensions);
                let vector = if id % 9 == 8 {
                    vec![0.5; vector.len()]
                } else {
                    vector
                };
                index.add_labelled(id * 3, &vector, &[id % 4]).unwrap();
            }
            let unsealed = index.save();
            index.seal();
            graphs.extend(index.graph().map(|graph| (unsealed, graph)));
            index.remove(6);
            seeds.push(index.save());
        }
        IndexBytes {
            seeds,
            graphs,
            n_read: 0,
            n_graphs: 0,
        }
    }

    /// The first byte chooses: a file, a file given as parts, or a graph for a sound index.
    fn input(&self, random: &mut Random) -> Vec<u8> {
        let way = random.below(3) as u8;
        let mut bytes = match way {
            2 => {
                let at = random.below(self.graphs.len());
                let mut graph = self.graphs[at].1.clone();
                mutate(&mut graph, random);
                // Generation, rows, checksum and five figures of 8 bytes come first.
                if graph.len() >= 52 && random.below(4) > 0 {
                    let crc = crc32(&graph[52..]);
                    graph[8..12].copy_from_slice(&crc);
                }
                graph.insert(0, at as u8);
                graph
            }
            _ => {
                let mut file = self.seeds[random.below(self.seeds.len())].clone();
                mutate(&mut file, random);
                if random.below(4) > 0 {
                    sign(&mut file);
                }
                file
            }
        };
        bytes.insert(0, way);
        bytes
    }

    fn run(&mut self, input: &[u8]) {
        let Some((&way, bytes)) = input.split_first() else {
            return;
        };
        let read = match (way, bytes) {
            (1, _) => VectorIndex::from_parts(&parts(bytes)).ok(),
            (2, [at, graph @ ..]) => {
                let (file, _) = &self.graphs[usize::from(*at) % self.graphs.len()];
                let mut index = VectorIndex::load(file).unwrap();
                let adopted = index.adopt_graph(graph).is_ok();
                self.n_graphs += u64::from(adopted);
                adopted.then_some(index)
            }
            _ => VectorIndex::load(bytes).ok(),
        };
        if let Some(index) = read {
            self.n_read += 1;
            use_it(index);
        }
    }

    fn summary(&self) -> String {
        format!(
            r#""read":{},"graphs_adopted":{}"#,
            self.n_read, self.n_graphs
        )
    }
}

fn use_it(mut index: VectorIndex) {
    let query = vec![1.0; index.config().dimensions];
    let n = index.len();
    let hits = index.search_all(&query, 5).unwrap();
    assert!(hits.len() == n.min(5));
    assert_eq!(
        index.search_exact(&query, 300, |_| true).unwrap().len(),
        n.min(300)
    );
    assert!(hits.iter().all(|hit| index.remove(hit.id)));
    let _ = index.add(4_000_000_000, &query);
    index.search_all(&query, 5).unwrap();
    let mut again = VectorIndex::load(&index.save()).unwrap();
    assert_eq!(again.save(), index.save());
    index.take_changes();
}

pub fn mutate(bytes: &mut Vec<u8>, random: &mut Random) {
    for _ in 0..1 + random.below(4) {
        if bytes.is_empty() {
            return;
        }
        let at = random.below(bytes.len());
        match random.below(8) {
            0 => bytes[at] = 0,
            1 => bytes[at] = 0xff,
            2 | 3 => bytes[at] ^= 1 << random.below(8),
            4 => bytes[at] = random.next() as u8,
            5 => {
                let number = [0, 1, 63, 64, 65, 255, 1 << 16, u32::MAX][random.below(8)];
                let end = bytes.len().min(at + 4);
                bytes[at..end].copy_from_slice(&number.to_le_bytes()[..end - at]);
            }
            6 => bytes.truncate(at),
            _ => {
                let from = random.below(bytes.len());
                let piece = bytes[from..bytes.len().min(from + 12)].to_vec();
                bytes.splice(at..at, piece);
            }
        }
    }
}

fn crc32(bytes: &[u8]) -> [u8; 4] {
    crc32fast::hash(bytes).to_le_bytes()
}

/// Where each part begins and ends, as far as the lengths make sense.
fn places(bytes: &[u8]) -> Vec<std::ops::Range<usize>> {
    let mut places = Vec::new();
    let mut at = 0;
    while let Some(length) = bytes.get(at..at + 4) {
        let end = at + 4 + u32::from_le_bytes(length.try_into().unwrap()) as usize;
        if end > bytes.len() {
            break;
        }
        places.push(at + 4..end);
        at = end;
    }
    places
}

fn sign(bytes: &mut [u8]) {
    let places = places(bytes);
    let Some(head) = places.first().filter(|head| head.len() > ROWS_CRC + 4) else {
        return;
    };
    let n_parts = (head.len() - ROWS_CRC - 4) / 4;
    for (n, place) in places[1..].iter().enumerate() {
        let at = if n < n_parts {
            ROWS_CRC + 4 * n
        } else {
            GRAPH_CRC
        };
        let crc = crc32(&bytes[place.clone()]);
        bytes[head.start + at..][..4].copy_from_slice(&crc);
    }
    let crc = crc32(&bytes[head.start..head.end - 4]);
    bytes[head.end - 4..head.end].copy_from_slice(&crc);
}

fn parts(bytes: &[u8]) -> Vec<Part> {
    let places = places(bytes);
    let n_rows = places
        .first()
        .map_or(0, |head| head.len().saturating_sub(ROWS_CRC + 4) / 4);
    let key = |n: usize| match n {
        0 => "head".into(),
        _ if n <= n_rows => format!("rows-{:08}", n - 1),
        _ => "graph".into(),
    };
    let part = |(n, place): (usize, &std::ops::Range<usize>)| Part {
        key: key(n),
        bytes: Some(bytes[place.clone()].to_vec()),
    };
    places.iter().enumerate().map(part).collect()
}
