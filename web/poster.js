// A poster of a video: a frame of it, drawn before it is sent. The server does not decode videos.

/** The greatest width and height, in pixels: those of the server's thumbnails. */
const WIDEST = 1200;
const TALLEST = 800;
/** A browser that cannot decode the video may never say so. */
const PATIENCE_MS = 4000;
/** The very first frame is often black. */
const AT_S = 0.5;
const QUALITY = 0.8;

const event = (target, name) => new Promise((done, failed) => {
  target.addEventListener(name, done, { once: true });
  target.addEventListener('error', failed, { once: true });
});

/** A JPEG of a frame; null if this browser cannot show the video. */
export async function posterOf(file) {
  const patience = new Promise((done) => { setTimeout(done, PATIENCE_MS, null); });
  const src = URL.createObjectURL(file);
  let video;
  try {
    video = Object.assign(document.createElement('video'), { muted: true, playsInline: true, preload: 'auto', src });
    return await Promise.race([draw(video), patience]);
  } catch {
    return null;
  } finally {
    URL.revokeObjectURL(src);
    video?.removeAttribute('src');
    video?.load();
  }
}

async function draw(video) {
  await event(video, 'loadeddata');
  // A recording of a browser does not know how long it is.
  const lasts = Number.isFinite(video.duration) ? video.duration : 0;
  if (lasts > 0) {
    const there = event(video, 'seeked');
    video.currentTime = Math.min(AT_S, lasts / 2);
    await there;
  }
  const { videoWidth: width, videoHeight: height } = video;
  if (!width || !height) return null;
  const scale = Math.min(1, WIDEST / width, TALLEST / height);
  const canvas = document.createElement('canvas');
  canvas.width = Math.max(1, Math.round(width * scale));
  canvas.height = Math.max(1, Math.round(height * scale));
  canvas.getContext('2d').drawImage(video, 0, 0, canvas.width, canvas.height);
  return new Promise((done) => { canvas.toBlob(done, 'image/jpeg', QUALITY); });
}
