//! The embedded front end: registrar, presence, contact store, message routing, focus factory, focus and IM MCU.
//! A sans-IO machine like the endpoints it serves.
