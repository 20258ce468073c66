// Brings a list in line without drawing it anew: what is there stays, with its focus and its place.

/** Puts `elements` into `list` in this order; what differs is moved, what is not named goes. */
export function reconcile(list, elements) {
  const focused = list.contains(document.activeElement) ? document.activeElement : null;
  const wanted = new Set(elements);
  for (const child of [...list.children]) if (!wanted.has(child)) child.remove();
  let cursor = list.firstElementChild;
  for (const element of elements) {
    if (element === cursor) cursor = cursor.nextElementSibling;
    else list.insertBefore(element, cursor);
  }
  // An element that was moved has lost the focus.
  if (focused?.isConnected && document.activeElement !== focused) focused.focus({ preventScroll: true });
}

/** Elements kept by key: one is made when its key is new, and brought up to date when what it shows (`signature`) has changed. */
export class Kept {
  known = new Map();

  /** The elements of these entries `{key, signature, make(), update(element)}`; those of other keys are forgotten. */
  of(entries) {
    const next = new Map();
    for (const { key, signature, make, update } of entries) {
      const before = this.known.get(key);
      if (before?.signature === signature) next.set(key, before);
      else {
        const element = before?.element || make();
        update(element);
        next.set(key, { signature, element });
      }
    }
    this.known = next;
    return [...next.values()].map(({ element }) => element);
  }
}
