"""The clock's face: ticks that plan, deliver, rescue and clean up, and the watch over those ticks."""
