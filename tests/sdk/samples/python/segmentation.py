# ruff: noqa: T201
import base64
import io
import json
import os

import numpy as np
from google import genai
from google.genai import types
from PIL import Image, ImageDraw

client = genai.Client()


def parse_json(json_output: str):
    lines = json_output.splitlines()
    for i, line in enumerate(lines):
        if line == "```json":
            json_output = "\n".join(lines[i + 1 :]).split("```")[0]
            break
    return json_output


def extract_segmentation_masks(image_path: str, output_dir: str = "segmentation_outputs"):
    im = Image.open(image_path)
    im.thumbnail([1024, 1024], Image.Resampling.LANCZOS)

    prompt = """
    Give the segmentation masks for the wooden and glass items.
    Output a JSON list of segmentation masks where each entry contains the 2D
    bounding box in the key "box_2d", the segmentation mask in key "mask", and
    the text label in the key "label". Use descriptive labels.
    """

    config = types.GenerateContentConfig(thinking_config=types.ThinkingConfig(thinking_budget=0))

    response = client.models.generate_content(
        model="gemini-3-flash-preview",
        contents=[prompt, im],
        config=config,
    )

    items = json.loads(parse_json(response.text))

    os.makedirs(output_dir, exist_ok=True)

    for i, item in enumerate(items):
        box = item["box_2d"]
        y0 = int(box[0] / 1000 * im.size[1])
        x0 = int(box[1] / 1000 * im.size[0])
        y1 = int(box[2] / 1000 * im.size[1])
        x1 = int(box[3] / 1000 * im.size[0])

        if y0 >= y1 or x0 >= x1:
            continue

        png_str = item["mask"]
        if not png_str.startswith("data:image/png;base64,"):
            continue

        mask = Image.open(io.BytesIO(base64.b64decode(png_str.removeprefix("data:image/png;base64,"))))
        mask = mask.resize((x1 - x0, y1 - y0), Image.Resampling.BILINEAR)
        mask_array = np.array(mask)

        overlay = Image.new("RGBA", im.size, (0, 0, 0, 0))
        overlay_draw = ImageDraw.Draw(overlay)
        for y in range(y0, y1):
            for x in range(x0, x1):
                if mask_array[y - y0, x - x0] > 128:
                    overlay_draw.point((x, y), fill=(255, 255, 255, 200))

        mask.save(os.path.join(output_dir, f"{item['label']}_{i}_mask.png"))
        composite = Image.alpha_composite(im.convert("RGBA"), overlay)
        composite.save(os.path.join(output_dir, f"{item['label']}_{i}_overlay.png"))
        print(f"Saved mask and overlay for {item['label']} to {output_dir}")


if __name__ == "__main__":
    extract_segmentation_masks("path/to/image.png")
