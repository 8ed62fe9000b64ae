"""Writes files/ and pillow.json.gz: what Pillow reads from image files and makes of images. Run with Pillow and NumPy.

    python internal/data/image/testdata/pillow.py
"""

import base64, gzip, io, json, os, struct, zlib

import numpy as np
from PIL import Image, ImageEnhance, ImageFilter, ImageOps

here = os.path.dirname(os.path.abspath(__file__))
os.makedirs(os.path.join(here, "files"), exist_ok=True)
rng = np.random.default_rng(0)


def picture(h, w, bands):
    """A smooth picture with some noise and a sharp edge."""
    y, x = np.mgrid[0:h, 0:w].astype(float)
    out = []
    for b in range(bands):
        v = 128 + 100 * np.sin(x / (3 + b) + b) * np.cos(y / (4 + b)) + rng.normal(0, 12, (h, w))
        v[h // 3 : h // 2, w // 4 : w // 2] = 250 - 60 * b
        out.append(v.clip(0, 255))
    return np.stack(out, -1).astype(np.uint8)


def image(mode, h=17, w=23):
    a = picture(h, w, len(Image.new(mode, (1, 1)).getbands()))
    return Image.fromarray(a[..., 0] if mode == "L" else a, mode)


def packed(im):
    return {"mode": im.mode, "width": im.width, "height": im.height, "pix": base64.b64encode(im.tobytes()).decode()}


# Files, and what convert gives.
files = []


def save(name, im, **kw):
    im.save(os.path.join(here, "files", name), **kw)
    add(name)


def add(name):
    im = Image.open(os.path.join(here, "files", name))
    im.load()
    files.append({"name": name, "mode": im.mode, "rgb": packed(im.convert("RGB")), "grey": packed(im.convert("L"))})


rgb, grey, rgba = image("RGB", 29, 37), image("L", 29, 37), image("RGBA", 29, 37)
for s, label in [(0, "444"), (1, "422"), (2, "420")]:
    save(f"rgb{label}.jpg", rgb, quality=90, subsampling=s)
save("progressive.jpg", rgb, quality=85, progressive=True)
save("tiny.jpg", image("RGB", 3, 3), quality=90)
save("line.jpg", image("RGB", 1, 9), quality=90)
save("grey.jpg", grey, quality=90)
save("cmyk.jpg", image("CMYK", 29, 37), quality=90)
save("rotated.jpg", rgb, quality=90, exif=struct.pack("<6s2sHIHHHIHHI", b"Exif\0\0", b"II", 42, 8, 1, 0x0112, 3, 1, 6, 0, 0))
save("rgb.png", rgb)
save("rgba.png", rgba)
save("la.png", rgba.convert("LA"))
save("grey.png", grey)
save("palette.png", rgb.quantize(20))
save("bits.png", grey.convert("1"))
save("clear.png", rgb.quantize(20), transparency=3)
save("grey16.png", Image.fromarray((picture(29, 37, 1)[..., 0].astype(np.uint16) * 2)))


def png(name, depth, color, rows):
    chunk = lambda t, d: struct.pack(">I", len(d)) + t + d + struct.pack(">I", zlib.crc32(t + d))
    h, w = len(rows), 37
    with open(os.path.join(here, "files", name), "wb") as f:
        f.write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", w, h, depth, color, 0, 0, 0)) + chunk(b"IDAT", zlib.compress(b"".join(b"\0" + r for r in rows))) + chunk(b"IEND", b""))
    add(name)


png("rgb48.png", 16, 2, [r.astype(">u2").tobytes() for r in rng.integers(0, 65536, (29, 37, 3))])
save("lossless.webp", rgba, lossless=True)
save("lossy.webp", rgb, quality=90)
save("lossy_alpha.webp", rgba, quality=90)
save("rgb.tiff", rgb)
save("lzw.tiff", rgb, compression="tiff_lzw")
save("grey.tiff", grey)
save("rgb.bmp", rgb)
save("grey.bmp", grey)
save("palette.gif", rgb.quantize(20))


def wrote(name, data):
    with open(os.path.join(here, "files", name), "wb") as f:
        f.write(data)
    add(name)


def shifted(**kw):
    """A GIF whose picture is smaller than its screen."""
    out = io.BytesIO()
    rgb.quantize(20).save(out, "GIF", **kw)
    d = bytearray(out.getvalue())
    d[6:10] = struct.pack("<HH", 43, 34)
    at = d.index(b"\x2c", 13 + (6 << (d[10] & 7)))
    d[at + 1 : at + 5] = struct.pack("<HH", 2, 3)
    return bytes(d)


save("restart.jpg", rgb, quality=90, restart_marker_blocks=1)
save("grey_progressive.jpg", grey, quality=90, progressive=True)
save("clear.gif", rgb.quantize(20), transparency=3)
wrote("shifted.gif", shifted())
wrote("shifted_clear.gif", shifted(transparency=7))
save("animated.webp", rgb, save_all=True, append_images=[rgb.transpose(0)], duration=10)
save("bits.tiff", grey.convert("1"), compression="group4")
save("bits_inverse.tiff", grey.convert("1"), compression="group4", tiffinfo={262: 0})
save("rgb.ppm", rgb)
save("grey.pgm", grey)
save("bits.pbm", grey.convert("1"))
small = np.asarray(grey)[:5, :6]
text = " ".join(map(str, small.ravel()))
wrote("text.pgm", b"P2\n# a comment\n6 5\n255\n" + text.encode())
wrote("seven.pgm", b"P5 6 5 7\n" + (small // 37).tobytes())
wrote("text.pbm", b"P1\n6 5\n" + b"\n".join(bytes(48 + int(v & 1) for v in r) for r in small))
wrote("grey16.pgm", b"P5 6 5 65535\n" + (small.astype(">u2") * 2).tobytes())
wrote("rgb48.ppm", b"P6 2 5 1000\n" + (small.astype(">u2") * 3).tobytes())

# Operations on images.
ops = []


def op(name, im, out, *args):
    ops.append({"op": name, "args": args, "in": im, "out": packed(out)})


inputs = {"L": image("L"), "RGB": image("RGB"), "RGBA": image("RGBA")}
filters = range(6)
for mode, im in inputs.items():
    for f in filters:
        op("resize", mode, im.resize((11, 9), f), 11, 9, f)
        op("resize", mode, im.resize((40, 31), f), 40, 31, f)
    op("resize", mode, im.resize((23, 31), 2), 23, 31, 2)
    op("crop", mode, im.crop((-2, -3, 20, 25)), -3, -2, 28, 22)
    op("flip", mode, im.transpose(Image.FLIP_LEFT_RIGHT))
    op("vflip", mode, im.transpose(Image.FLIP_TOP_BOTTOM))
    fill = (10, 200, 30, 128)[: len(im.getbands())] if mode != "L" else 77
    for f in [0, 2, 3]:
        a = [0.9, 0.3, -2.25, -0.2, 1.1, 3.5]
        op("affine", mode, im.transform(im.size, Image.AFFINE, a, f, fillcolor=fill), a, f)
        op("affine", mode, im.transform(im.size, Image.AFFINE, [1, 0, 3, 0, 1, -2], f, fillcolor=fill), [1, 0, 3, 0, 1, -2], f)
        p = [0.9, 0.1, 1.5, 0.05, 0.95, -1, 0.002, -0.003]
        op("perspective", mode, im.transform(im.size, Image.PERSPECTIVE, p, f, fillcolor=fill), p, f)
        for angle in [0, 37.5, -120, 90, 180, 270]:
            for expand in [False, True]:
                op("rotate", mode, im.rotate(angle, f, expand, fillcolor=fill), angle, f, expand)
    op("rotate_at", mode, im.rotate(30, 2, False, (3, 5), fillcolor=fill), 30, 2, 3, 5)
    for factor in [0, 0.3, 1, 1.7]:
        op("brightness", mode, ImageEnhance.Brightness(im).enhance(factor), factor)
        op("contrast", mode, ImageEnhance.Contrast(im).enhance(factor), factor)
        op("saturation", mode, ImageEnhance.Color(im).enhance(factor), factor)
        op("sharpness", mode, ImageEnhance.Sharpness(im).enhance(factor), factor)
    if mode == "RGBA":
        continue
    for bits in [1, 4, 8]:
        op("posterize", mode, ImageOps.posterize(im, bits), bits)
    for t in [0, 128, 200.5, 256]:
        op("solarize", mode, ImageOps.solarize(im, t), t)
    op("invert", mode, ImageOps.invert(im))
    op("autocontrast", mode, ImageOps.autocontrast(im.point(lambda v: 40 + v // 2)), "dim")
    op("equalize", mode, ImageOps.equalize(im))
    a = np.asarray(im)
    for m in ["edge", "reflect", "symmetric"]:
        pad = ((2, 3), (4, 1)) + ((0, 0),) * (a.ndim - 2)
        op("pad", mode, Image.fromarray(np.pad(a, pad, m)), m)
big = image("RGB", 60, 70)
op("equalize", "big", ImageOps.equalize(big))
inputs["big"] = big
for shift in [-0.5, -0.1, 0.25, 0.5]:
    h, s, v = big.convert("HSV").split()
    n = np.array(h, dtype=np.uint8)
    n += np.int32(shift * 255).astype(np.uint8)
    op("hue", "big", Image.merge("HSV", (Image.fromarray(n, "L"), s, v)).convert("RGB"), shift)

with open(os.path.join(here, "pillow.json.gz"), "wb") as raw, gzip.GzipFile("", "wb", 9, raw, 0) as f:
    f.write(json.dumps({"files": files, "inputs": {k: packed(v) for k, v in inputs.items()}, "ops": ops}).encode())
