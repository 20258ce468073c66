// Zooming a picture: wheel, double click, pinch, and drag.

const LEAST = 1;
const MOST = 8;
const CLOSER = 2.5;
const TAP_MS = 300;
const MOVED = 6;

/** Makes the picture on a stage zoomable. Returns `{by(factor), reset(), stop()}`; the stage gets the events `zoomswipe` and `zoomoutside`. */
export function zoomable(stage, image, { onchange }) {
  const fingers = new Map();
  const listening = new AbortController();
  let scale = 1;
  let x = 0;
  let y = 0;
  let began = null;
  let tapped = 0;

  const show = (follows = false) => {
    stage.classList.toggle('is-moving', follows);
    stage.classList.toggle('is-close', scale > 1);
    image.style.transform = `translate(${x}px, ${y}px) scale(${scale})`;
    onchange(scale, { least: LEAST, most: MOST });
  };
  /** Keeps part of the picture in view. */
  const hold = () => {
    const mostX = Math.max(0, (image.offsetWidth * scale - stage.clientWidth) / 2);
    const mostY = Math.max(0, (image.offsetHeight * scale - stage.clientHeight) / 2);
    x = Math.max(-mostX, Math.min(mostX, x));
    y = Math.max(-mostY, Math.min(mostY, y));
  };
  /** Zooms around this point of the window. */
  const to = (wanted, at, follows) => {
    const next = Math.max(LEAST, Math.min(MOST, wanted));
    const box = stage.getBoundingClientRect();
    const dx = (at?.x ?? box.left + box.width / 2) - (box.left + box.width / 2);
    const dy = (at?.y ?? box.top + box.height / 2) - (box.top + box.height / 2);
    x = dx - (dx - x) * (next / scale);
    y = dy - (dy - y) * (next / scale);
    scale = next;
    hold();
    show(follows);
  };
  const middle = () => {
    const [a, b = a] = [...fingers.values()];
    return { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2, apart: Math.hypot(a.x - b.x, a.y - b.y) };
  };
  const begin = () => { began = fingers.size ? { ...middle(), scale, left: x, top: y, moved: began?.moved || false, pinched: fingers.size > 1 || Boolean(began?.pinched) } : null; };

  const listen = (target, name, callback, options) => target.addEventListener(name, callback, { ...options, signal: listening.signal });

  listen(stage, 'wheel', (event) => {
    event.preventDefault();
    to(scale * Math.exp(-event.deltaY * (event.deltaMode ? 0.05 : 0.002)), { x: event.clientX, y: event.clientY }, true);
  }, { passive: false });
  listen(stage, 'pointerdown', (event) => {
    if (event.button !== 0) return;
    stage.setPointerCapture(event.pointerId);
    if (!fingers.size) began = null;
    fingers.set(event.pointerId, { x: event.clientX, y: event.clientY });
    begin();
  });
  listen(stage, 'pointermove', (event) => {
    if (!fingers.has(event.pointerId)) return;
    fingers.set(event.pointerId, { x: event.clientX, y: event.clientY });
    const now = middle();
    if (Math.hypot(now.x - began.x, now.y - began.y) > MOVED || fingers.size > 1) began.moved = true;
    if (!began.moved) return;
    if (fingers.size > 1 && began.apart) {
      const wanted = began.scale * (now.apart / began.apart);
      scale = began.scale;
      x = began.left + now.x - began.x;
      y = began.top + now.y - began.y;
      to(wanted, now, true);
    } else {
      x = began.left + now.x - began.x;
      y = began.top + now.y - began.y;
      if (scale > 1) hold();
      show(true);
    }
  });
  const lift = (event) => {
    if (!fingers.has(event.pointerId)) return;
    const start = began;
    const moved = { x: event.clientX - start.x, y: event.clientY - start.y };
    fingers.delete(event.pointerId);
    if (fingers.size) return begin();
    if (scale === 1) {
      x = 0;
      y = 0;
      show();
    }
    if (event.type === 'pointercancel') return;
    if (start.moved) {
      if (start.scale === 1 && !start.pinched && event.pointerType !== 'mouse') stage.dispatchEvent(new CustomEvent('zoomswipe', { detail: moved }));
      return;
    }
    tap(event);
  };
  const tap = (event) => {
    const box = image.getBoundingClientRect();
    const inside = event.clientX >= box.left && event.clientX <= box.right && event.clientY >= box.top && event.clientY <= box.bottom;
    const now = performance.now();
    if (inside && now - tapped < TAP_MS) {
      tapped = 0;
      to(scale > 1 ? 1 : CLOSER, { x: event.clientX, y: event.clientY });
    } else {
      tapped = now;
      if (!inside && scale === 1) stage.dispatchEvent(new CustomEvent('zoomoutside'));
    }
  };
  listen(stage, 'pointerup', lift);
  listen(stage, 'pointercancel', lift);
  show();
  return { by: (factor) => to(scale * factor), reset: () => to(1), stop: () => listening.abort() };
}
