/** A node of a graph that is drawn in ranks, from the bottom up. */
export interface LayeredNode {
  readonly key: string;
  readonly width: number;
  /** Pulls the node to one side of its rank: -1 to the left, 1 to the right. */
  readonly side: number;
  /** Follows the others, and none follows it. */
  readonly isLight?: boolean;
}

/** Where a node is: the middle of its box, and the rank. */
export interface Placed {
  readonly x: number;
  readonly rank: number;
}

/** A layout of an acyclic graph. */
export interface Layered {
  readonly width: number;
  readonly ranks: number;
  readonly at: ReadonlyMap<string, Placed>;
  /** The points of an edge, one in each rank from its start to its end. */
  route(from: string, to: string): Placed[];
}

type Edge = readonly [from: string, to: string];

const between = 14;
const bendWidth = 4;
const sweeps = 12;
const settlings = 80;

/** The longest path to each node: sources have rank 0, sinks the last. */
function ranksOf(keys: readonly string[], edges: readonly Edge[], last: ReadonlySet<string>) {
  const ranks = new Map<string, number>(keys.map((key) => [key, 0]));
  // Keys stand in the order in which they ran, so every edge leads to a later key.
  for (const key of keys) {
    for (const [from, to] of edges) {
      if (to === key) ranks.set(key, Math.max(ranks.get(key)!, ranks.get(from)! + 1));
    }
  }
  const top = Math.max(0, ...ranks.values());
  for (const key of last) if (ranks.has(key)) ranks.set(key, Math.max(top, 1));
  // What nothing is done to stands right below its first use.
  for (const key of keys) {
    if (edges.some(([, to]) => to === key)) continue;
    const uses = edges.flatMap(([from, to]) => (from === key ? [ranks.get(to)!] : []));
    if (uses.length > 0) ranks.set(key, Math.min(...uses) - 1);
  }
  return ranks;
}

/**
 * Ranks by longest path, bends where an edge passes a rank, order by barycentres, and places by
 * neighbours (after Sugiyama, Tagawa & Toda 1981).
 *
 * @param nodes in an order in which every edge leads to a later one
 * @param last the nodes that stand in the last rank
 */
export function layered(
  nodes: readonly LayeredNode[],
  edges: readonly Edge[],
  last: ReadonlySet<string> = new Set(),
): Layered {
  const ranks = ranksOf(
    nodes.map(({ key }) => key),
    edges,
    last,
  );
  const layers: LayeredNode[][] = [];
  const place = (node: LayeredNode, rank: number) => {
    while (layers.length <= rank) layers.push([]);
    layers[rank]!.push(node);
  };
  for (const node of nodes) place(node, ranks.get(node.key)!);
  const links: Edge[] = [];
  const bendOf = ([from, to]: Edge, rank: number) => `${from}>${to}@${rank}`;
  for (const edge of edges) {
    const [from, to] = edge;
    let before = from;
    for (let rank = ranks.get(from)! + 1; rank < ranks.get(to)!; rank++) {
      place({ key: bendOf(edge, rank), width: bendWidth, side: 0 }, rank);
      links.push([before, bendOf(edge, rank)]);
      before = bendOf(edge, rank);
    }
    links.push([before, to]);
  }
  order(layers, links);
  const xs = spread(layers, links);
  const at = new Map<string, Placed>();
  for (const [rank, layer] of layers.entries()) {
    for (const { key } of layer) at.set(key, { x: xs.get(key)!, rank });
  }
  const all = layers.flat();
  const left = Math.min(...all.map(({ key, width }) => xs.get(key)! - width / 2));
  const right = Math.max(...all.map(({ key, width }) => xs.get(key)! + width / 2));
  for (const [key, { x, rank }] of at) at.set(key, { x: x - left, rank });
  return {
    width: right - left,
    ranks: layers.length,
    at,
    route(from, to) {
      const [start, end] = [at.get(from)!, at.get(to)!];
      const bends = Array.from(
        { length: Math.max(0, end.rank - start.rank - 1) },
        (_, i) => at.get(bendOf([from, to], start.rank + 1 + i))!,
      );
      return [start, ...bends, end];
    },
  };
}

/** Sorts each rank by the mean position of neighbours, which crosses few edges. */
function order(layers: LayeredNode[][], links: readonly Edge[]): void {
  const positions = new Map<string, number>();
  const number = (layer: readonly LayeredNode[]) => {
    for (const [i, { key }] of layer.entries()) positions.set(key, (i + 1) / (layer.length + 1));
  };
  for (const layer of layers) {
    layer.sort((a, b) => a.side - b.side);
    number(layer);
  }
  for (let sweep = 0; sweep < sweeps; sweep++) {
    for (const layer of sweep % 2 === 0 ? layers : layers.toReversed()) {
      const wanted = new Map(
        layer.map(({ key, side }) => {
          const near = neighbours(key, links).map((other) => positions.get(other)!);
          const mean =
            near.length === 0 ? positions.get(key)! : near.reduce((a, b) => a + b, 0) / near.length;
          return [key, mean + 0.5 * side];
        }),
      );
      layer.sort((a, b) => wanted.get(a.key)! - wanted.get(b.key)!);
      number(layer);
    }
  }
}

function neighbours(key: string, links: readonly Edge[]): string[] {
  return links.flatMap(([from, to]) => (from === key ? [to] : to === key ? [from] : []));
}

/** Moves each node towards its neighbours as far as the others of its rank let it. */
function spread(layers: readonly LayeredNode[][], links: readonly Edge[]): Map<string, number> {
  const xs = new Map<string, number>();
  const light = new Set(layers.flat().flatMap(({ key, isLight }) => (isLight ? [key] : [])));
  const anchors = (key: string) => {
    const near = neighbours(key, links);
    return light.has(key) ? near : near.filter((other) => !light.has(other));
  };
  const gap = (a: LayeredNode, b: LayeredNode) => (a.width + b.width) / 2 + between;
  const settle = (layer: readonly LayeredNode[], wanted: readonly number[]) => {
    const forth = [...wanted];
    const back = [...wanted];
    for (let i = 1; i < layer.length; i++) {
      forth[i] = Math.max(wanted[i]!, forth[i - 1]! + gap(layer[i - 1]!, layer[i]!));
    }
    for (let i = layer.length - 2; i >= 0; i--) {
      back[i] = Math.min(wanted[i]!, back[i + 1]! - gap(layer[i]!, layer[i + 1]!));
    }
    // Both keep the gaps, and so does their mean.
    for (const [i, { key }] of layer.entries()) xs.set(key, (forth[i]! + back[i]!) / 2);
  };
  for (const layer of layers)
    settle(
      layer,
      layer.map(() => 0),
    );
  for (let sweep = 0; sweep < settlings; sweep++) {
    for (const layer of sweep % 2 === 0 ? layers : layers.toReversed()) {
      settle(
        layer,
        layer.map(({ key }) => {
          const near = anchors(key).map((other) => xs.get(other)!);
          return near.length === 0 ? xs.get(key)! : near.reduce((a, b) => a + b, 0) / near.length;
        }),
      );
    }
  }
  return xs;
}
