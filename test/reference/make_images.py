"""Small images of the kinds that clients send, and what PIL and transformers make of them."""

import base64

import numpy as np
import torch
import transformers
from PIL import Image
from transformers.image_transforms import center_crop, get_resize_output_image_size, resize
from transformers.image_utils import PILImageResampling, load_image

from make_golden import check_margin, numbers

FILTERS = {"lanczos": 1, "bilinear": 2, "bicubic": 3}
SIDE = 20
EDGE = 26
ORIENTATION = 0x0112


def scene(width, height, seed):
    """A gradient, a disc, stripes and noise: smooth parts, hard edges and fine detail."""
    random = np.random.RandomState(seed)
    y, x = np.mgrid[0:height, 0:width]
    red = 255 * x / max(1, width - 1)
    green = 255 * y / max(1, height - 1)
    blue = np.where((x // 3 + y // 5) % 2 == 0, 230, 20)
    pixels = np.stack([red, green, blue], axis=-1)
    disc = (x - width * 0.6) ** 2 + (y - height * 0.4) ** 2 < (min(width, height) * 0.3) ** 2
    pixels[disc] = [250, 240, 10]
    pixels += random.randint(-12, 13, pixels.shape)
    return Image.fromarray(pixels.clip(0, 255).astype(np.uint8))


def oriented(image, orientation):
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    return {"image": image, "exif": exif}


def write_images(folder):
    folder.mkdir(parents=True, exist_ok=True)
    clear = np.asarray(scene(64, 48, 3).convert("RGBA")).copy()
    clear[:, :32, 3] = np.linspace(0, 255, 32).astype(np.uint8)
    clear = Image.fromarray(clear)
    files = {
        "rgb.png": {"image": scene(90, 60, 1)},
        "tall.png": {"image": scene(31, 97, 2)},
        "tiny.png": {"image": scene(7, 5, 4)},
        "grey.png": {"image": scene(50, 70, 5).convert("L")},
        "grey-alpha.png": {"image": clear.convert("LA")},
        "rgba.png": {"image": clear},
        "palette.png": {"image": scene(60, 60, 6).quantize(32)},
        "palette-clear.png": {"image": scene(60, 40, 6).quantize(16), "transparency": 3},
        "bits.png": {"image": scene(64, 64, 7).convert("1")},
        "full.jpg": {"image": scene(120, 80, 8), "quality": 92, "subsampling": 0},
        "halved.jpg": {"image": scene(77, 53, 9), "quality": 85, "subsampling": 2},
        "grey.jpg": {"image": scene(64, 40, 10).convert("L"), "quality": 90},
        "progressive.jpg": {"image": scene(100, 75, 11), "quality": 80, "progressive": True},
        **{f"turned-{n}.jpg": oriented(scene(72, 48, 12 + n), n) | {"quality": 90} for n in (2, 3, 6, 8)},
        "turned-5.png": oriented(scene(72, 48, 30), 5),
        "lossy.webp": {"image": scene(80, 60, 31), "quality": 80},
        "lossless.webp": {"image": clear, "lossless": True, "exact": True},
        "turned-6.webp": oriented(scene(72, 48, 32), 6) | {"quality": 90},
    }
    for name, how in files.items():
        image = how.pop("image")
        image.save(folder / name, **how)
        assert (folder / name).stat().st_size <= 20_000, name
    return list(files)


def packed(pixels):
    """uint8 `[height, width, 3]` -> base64 of its bytes."""
    assert pixels.dtype == np.uint8 and pixels.shape[-1] == 3
    return base64.b64encode(np.ascontiguousarray(pixels).tobytes()).decode()


def resize_golden(folder, names):
    """Every image by every filter: squeezed to a square; and the shorter edge to EDGE, then the middle."""
    cases = []
    for name in names:
        pixels = np.asarray(load_image(str(folder / name)))
        case = {"file": name, "width": pixels.shape[1], "height": pixels.shape[0]}
        case |= {"squeezed": {}, "cropped": {}}
        for kind, number in FILTERS.items():
            how = {"resample": PILImageResampling(number), "input_data_format": "channels_last"}
            edges = get_resize_output_image_size(
                pixels, size=EDGE, default_to_square=False, input_data_format="channels_last"
            )
            case["squeezed"][kind] = packed(resize(pixels, (SIDE, SIDE), **how))
            middle = center_crop(resize(pixels, edges, **how), (SIDE, SIDE), input_data_format="channels_last")
            case["cropped"][kind] = packed(middle.astype(np.uint8))
        cases.append(case)
    return {"side": SIDE, "shortest_edge": EDGE, "cases": cases}


def sample_logits(model, processor, folder, names):
    """[images, labels]"""
    with torch.no_grad():
        rows = [model(**processor(load_image(str(folder / name)), return_tensors="pt")).logits for name in names]
    return torch.cat(rows)


def image_classification(model, processor, session, folder, names):
    pipe = transformers.pipeline("image-classification", model=model, image_processor=processor, device="cpu")
    cases = []
    for name in names:
        image = load_image(str(folder / name))
        pixels = processor(image, do_rescale=False, do_normalize=False, return_tensors="np")["pixel_values"][0]
        feeds = processor(image, return_tensors="pt")
        with torch.no_grad():
            logits = model(**feeds).logits
        session.check(feeds, [logits])
        check_margin(logits[0], name)
        given = pipe(image, top_k=len(model.config.id2label))
        cases.append(
            {
                "file": name,
                "pixels": packed(pixels.transpose(1, 2, 0).astype(np.uint8)),
                "logits": numbers(logits[0].tolist()),
                "scores": {each["label"]: numbers(each["score"]) for each in given},
            }
        )
    return {"task": "image-classification", "cases": cases}
