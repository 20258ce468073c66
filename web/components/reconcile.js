// Updates a list without redrawing it: elements keep their focus and position.

/** Makes `elements` the children of `list`, in this order; others are removed. */
export function reconcile(list, elements) {
  const focused = list.contains(document.activeElement) ? document.activeElement : null;
  const wanted = new Set(elements);
  for (const child of [...list.children]) if (!wanted.has(child)) child.remove();
  let cursor = list.firstElementChild;
  for (const element of elements) {
    if (element === cursor) cursor = cursor.nextElementSibling;
    else list.insertBefore(element, cursor);
  }
  // Moving an element takes its focus.
  if (focused?.isConnected && document.activeElement !== focused) focused.focus({ preventScroll: true });
}

/** Elements by key: one is made for a new key, and updated when its `signature` changes. */
export class Kept {
  known = new Map();

  /** The elements of these entries `{key, signature, make(), update(element)}`; other keys are forgotten. */
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
