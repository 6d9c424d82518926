"""The head's warp on a GPU: head.py's own fields and tiles, its resampling by torch instead of OpenCV.

Mouth and eyes stay on the processor: they are small at any size. What grows with the picture is done here.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from linly.face.frame import Array
from linly.face.head import EDGE, SHARP, Head, straight
from linly.values import Image


class TorchHead(Head):
    """A Head whose pictures are resampled on `device`: those of the processor within one grey level.

    `device`: "cuda" or "cuda:n" (torch's "cpu" gives the same pictures, slowly).
    """

    def __init__(self, *of_head: Any, device: str) -> None:
        """`of_head`: what Head takes."""
        import torch

        super().__init__(*of_head)
        self._torch, self._device = torch, torch.device(device)
        self._behind = self._planes(self._plate)

    def _move(self, packed: Image, amounts: Array, moved: Image) -> None:
        torch = self._torch
        shift = self._inverse((amounts @ self._bases).reshape(self._cells.shape))
        runs = list(self._runs(shift))
        if not runs:
            return
        rows = slice(min(r.start for r, *_ in runs), max(r.stop for r, *_ in runs))
        columns = slice(min(c.start for _, c, *_ in runs), max(c.stop for _, c, *_ in runs))
        kinds = np.zeros((rows.stop - rows.start, columns.stop - columns.start), np.uint8)
        for r, c, kind, _ in runs:
            kinds[r.start - rows.start : r.stop - rows.start, c.start - columns.start : c.stop - columns.start] = kind
        with torch.inference_mode():
            kind = torch.from_numpy(kinds).to(self._device)
            part = self._resampled(self._planes(packed), self._map(shift, rows, columns), kind & SHARP > 0)
            colours, through = part[:3], part[3:]
            if not self._alpha:
                shown = torch.round(through * self._behind[0, :, rows, columns] / 255)
                colours = torch.where(kind & EDGE > 0, colours + shown, colours).clamp(0, 255)
            made = torch.cat([colours, through]).permute(1, 2, 0).byte().cpu().numpy()
        seen = kinds > 0
        moved[rows, columns][seen] = self._finished(made)[seen]

    def _finished(self, made: Image) -> Image:
        """(h, w, 4) colours and how far the background shows through, as pictures of this head are given out."""
        return straight(made) if self._alpha else made[..., :3]

    def _map(self, shift: Array, rows: slice, columns: slice) -> Any:
        """(h, w, 2) source pixels of a part of the picture: the cells' own, spread as cv2.resize does."""
        x0, y0 = self._corner
        cells = self._torch.from_numpy(self._pixels(shift)).to(self._device).permute(2, 0, 1)[None]
        wide = self._torch.nn.functional.interpolate(
            cells, scale_factor=float(self._step), mode="bilinear", align_corners=False
        )[0]
        top, left = rows.start - y0 + self._step, columns.start - x0 + self._step
        part = wide[:, top : top + rows.stop - rows.start, left : left + columns.stop - columns.start]
        return part.permute(1, 2, 0)

    def _resampled(self, packed: Any, map_: Any, sharp: Any) -> Any:
        """(4, h, w) rounded to whole grey levels: bicubic where `sharp`, else bilinear."""
        h, w = self._size
        size = self._torch.tensor([w, h], dtype=self._torch.float32, device=self._device)
        grid = ((map_ + 0.5) * (2 / size) - 1)[None]

        def sampled(mode: str) -> Any:
            found = self._torch.nn.functional.grid_sample(
                packed, grid, mode=mode, padding_mode="border", align_corners=False
            )
            return found[0].round().clamp(0, 255)

        return self._torch.where(sharp, sampled("bicubic"), sampled("bilinear"))

    def _planes(self, pixels: Image) -> Any:
        """(h, w, c) uint8 as (1, c, h, w) float32 on the device."""
        tensor = self._torch.from_numpy(np.ascontiguousarray(pixels)).to(self._device)
        return tensor.permute(2, 0, 1)[None].float()
