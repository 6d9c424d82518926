"""The face as geometry: mesh, matte, mouth, eyes, head. Loaded only by the engines that draw."""
