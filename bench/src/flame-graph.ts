/** Stacks as a flame graph: an SVG file that needs nothing else. Hovering over a box tells its name and share. */
import type { Stack } from './cpu-profile.ts';

interface Frame {
  name: string;
  us: number;
  children: Map<string, Frame>;
}

const WIDTH = 1400;
const ROW = 17;
const MARGIN = 10;
const TITLE = 34;
const CHARACTER = 6.6;
/** Boxes narrower than this cannot be seen. */
const NARROWEST = 0.4;

/** Width is time; a box stands on the function that called it. */
export function flameGraph(stacks: readonly Stack[], title: string): string {
  const root = treeOf(stacks);
  const rows = depthOf(root);
  const height = TITLE + rows * ROW + MARGIN;
  const boxes: string[] = [];
  draw(root, MARGIN, 0);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}">`,
    '<style>text{font:11px monospace;pointer-events:none}.title{font-size:14px}rect{stroke:#fff;stroke-width:.5}</style>',
    `<rect width="100%" height="100%" fill="#fff"/>`,
    `<text class="title" x="${MARGIN}" y="22">${escape(title)}</text>`,
    ...boxes,
    '</svg>',
    '',
  ].join('\n');

  function draw(frame: Frame, x: number, level: number): void {
    const width = (frame.us / root.us) * (WIDTH - 2 * MARGIN);
    if (width < NARROWEST) return;
    boxes.push(box(frame, x, height - MARGIN - (level + 1) * ROW, width));
    let at = x;
    for (const child of [...frame.children.values()].sort((a, b) => b.us - a.us)) {
      draw(child, at, level + 1);
      at += (child.us / root.us) * (WIDTH - 2 * MARGIN);
    }
  }

  function box(frame: Frame, x: number, y: number, width: number): string {
    const share = ((frame.us / root.us) * 100).toFixed(1);
    const place = `x="${x.toFixed(1)}" y="${y}"`;
    const characters = Math.floor((width - 4) / CHARACTER);
    const label =
      characters < 3
        ? ''
        : `<text x="${(x + 2).toFixed(1)}" y="${y + 12}">${escape(frame.name.slice(0, characters))}</text>`;
    const tip = `<title>${escape(frame.name)}: ${share} %, ${Math.round(frame.us / 1000)} ms</title>`;
    return `<g>${tip}<rect ${place} width="${width.toFixed(1)}" height="${ROW - 1}" fill="${colorOf(frame.name)}"/>${label}</g>`;
  }
}

function treeOf(stacks: readonly Stack[]): Frame {
  const root: Frame = { name: 'all', us: 0, children: new Map() };
  for (const { frames, us } of stacks) {
    root.us += us;
    let parent = root;
    for (const name of frames) {
      let frame = parent.children.get(name);
      if (frame === undefined) parent.children.set(name, (frame = { name, us: 0, children: new Map() }));
      frame.us += us;
      parent = frame;
    }
  }
  return root;
}

function depthOf(frame: Frame): number {
  let deepest = 0;
  for (const child of frame.children.values()) deepest = Math.max(deepest, depthOf(child));
  return deepest + 1;
}

/** The same name always has the same warm colour. */
function colorOf(name: string): string {
  let hash = 0;
  for (let index = 0; index < name.length; index++) hash = (hash * 31 + name.charCodeAt(index)) >>> 0;
  return `hsl(${10 + (hash % 45)} 85% ${60 + ((hash >>> 8) % 15)}%)`;
}

function escape(text: string): string {
  return text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
}
