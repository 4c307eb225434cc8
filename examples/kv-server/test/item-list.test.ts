import { expect } from 'chai';
import { type Item, ItemList } from '../item-list.ts';

describe('kv-server item list', () => {
  it('keeps the order of use through a random program', () => {
    let seed = 20_260;
    const random = (below: number): number => {
      seed = (seed * 1_103_515_245 + 12_345) & 0x7fffffff;
      return seed % below;
    };
    const list = new ItemList();
    let model: Item[] = [];
    for (let step = 0; step < 5000; step += 1) {
      const pick = model[random(model.length + 1)];
      if (pick === undefined) {
        const made = item(`k${step}`);
        list.add(made);
        model.push(made);
      } else {
        model = model.filter((other) => other !== pick);
        if (random(2) === 0) {
          list.bump(pick);
          model.push(pick);
        } else {
          list.remove(pick);
          expect(pick.newer === undefined && pick.older === undefined).to.equal(true);
        }
      }
      if (step % 50 === 0) expect(keysOldestFirst(list)).to.deep.equal(model.map(({ key }) => key));
    }
  });

  it('is empty after clear', () => {
    const list = new ItemList();
    list.add(item('a'));
    list.clear();
    expect(list.oldest).to.equal(undefined);
    list.add(item('b'));
    expect(keysOldestFirst(list)).to.deep.equal(['b']);
  });
});

function keysOldestFirst(list: ItemList): string[] {
  const keys: string[] = [];
  for (let at = list.oldest; at !== undefined; at = at.newer) keys.push(at.key);
  return keys;
}

function item(key: string): Item {
  return {
    key,
    value: '',
    flags: 0,
    expiresAt: 0,
    casUnique: 0,
    usedAt: 0,
    fetched: false,
    bytes: 0,
    newer: undefined,
    older: undefined,
  };
}
