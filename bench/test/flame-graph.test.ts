import { expect } from 'chai';
import { flameGraph } from '../src/flame-graph.ts';

const stacks = [
  { frames: ['main', 'read<Buffer>'], us: 3000 },
  { frames: ['main', 'write'], us: 1000 },
];

describe('flameGraph', () => {
  it('gives each function a box as wide as its share', () => {
    const svg = flameGraph(stacks, 'echo');
    expect(svg).to.match(/<title>main: 100\.0 %, 4 ms<\/title><rect x="10\.0" y="\d+" width="1380\.0"/);
    expect(svg).to.match(/<title>write: 25\.0 %, 1 ms<\/title><rect x="1045\.0" y="\d+" width="345\.0"/);
  });

  it('puts callees above their caller', () => {
    const y = (name: string): number =>
      Number(new RegExp(`<title>${name}.*?y="(\\d+)"`).exec(flameGraph(stacks, 'echo'))?.[1]);
    expect(y('write')).to.be.lessThan(y('main'));
    expect(y('main')).to.be.lessThan(y('all'));
  });

  it('escapes names', () => {
    const svg = flameGraph(stacks, 'a & b');
    expect(svg).to.include('a &#38; b').and.include('read&#60;Buffer&#62;').and.not.include('<Buffer>');
  });

  it('leaves out what is too narrow to be seen', () => {
    const svg = flameGraph([...stacks, { frames: ['main', 'speck'], us: 0.5 }], 'echo');
    expect(svg).to.not.include('speck');
  });
});
