"""The head's warp on a GPU: head.py's own fields and areas, its resampling by torch instead of OpenCV.

Mouth and eyes stay on the processor: they are small at any size. What grows with the picture is done here.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from linly.face.frame import Array
from linly.face.head import Area, Head, straight
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
        shift = self._inverse((amounts @ self._bases).reshape(self._cells.shape))
        areas = list(self._areas(shift))
        if not areas:
            return
        with self._torch.inference_mode():
            there = self._planes(packed)
            for area in areas:
                made = self._made(there, self._map(shift, area), area)
                moved[area.rows, area.columns] = self._finished(made.permute(1, 2, 0).byte().cpu().numpy())

    def _made(self, there: Any, map_: Array, area: Area) -> Any:
        """(4, h, w) on the device: an area's colours, and how far the background shows through."""
        torch = self._torch
        grid = self._grid(map_)
        part = self._sampled(there, grid, "bilinear")
        if area.sharp:
            part[:, *area.sharp] = self._sampled(there, grid[area.sharp], "bicubic")
        if area.edge and not self._alpha:
            shown = torch.round(part[3:] * self._behind[0, :, area.rows, area.columns] / 255)
            part[:3] = (part[:3] + shown).clamp(0, 255)
        return part

    def _finished(self, made: Image) -> Image:
        """(h, w, 4) colours and how far the background shows through, as pictures of this head are given out."""
        return straight(made) if self._alpha else made[..., :3]

    def _grid(self, map_: Array) -> Any:
        """(h, w, 2) on the device: source pixels as grid_sample counts them."""
        h, w = self._size
        torch = self._torch
        size = torch.tensor([w, h], dtype=torch.float32, device=self._device)
        return (torch.from_numpy(map_).to(self._device) + 0.5) * (2 / size) - 1

    def _sampled(self, packed: Any, grid: Any, mode: str) -> Any:
        """(4, h, w) rounded to whole grey levels."""
        found = self._torch.nn.functional.grid_sample(
            packed, grid[None], mode=mode, padding_mode="border", align_corners=False
        )
        return found[0].round().clamp(0, 255)

    def _planes(self, pixels: Image) -> Any:
        """(h, w, c) uint8 as (1, c, h, w) float32 on the device."""
        tensor = self._torch.from_numpy(np.ascontiguousarray(pixels)).to(self._device)
        return tensor.permute(2, 0, 1)[None].float()
