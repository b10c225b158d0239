"""How a figure is to look: theme, width class, height, and whether it carries its own title."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

WIDTHS_PX = {"desk": 1160, "phone": 358}


@dataclass(frozen=True)
class Look:
    """Theme and size of a drawing. `card` puts title and credit inside, for images that travel alone."""

    theme: Literal["light", "dark"] = "light"
    width: Literal["desk", "phone"] = "desk"
    height_px: int | None = None
    card: bool = False

    @property
    def phone(self) -> bool:
        """Whether it is drawn for a narrow screen."""
        return self.width == "phone"

    @property
    def width_px(self) -> int:
        """The narrowest width of the class: labels are placed for it, wider only spreads them."""
        return 1200 if self.card else WIDTHS_PX[self.width]

    def height(self, desk: int = 540, phone: int = 430) -> int:
        """Height in pixels: the one asked for, else the figure's own for this width."""
        return self.height_px or (phone if self.phone else desk)
