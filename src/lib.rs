//! Memory for Claude chat UIs that stays on the user's device.
