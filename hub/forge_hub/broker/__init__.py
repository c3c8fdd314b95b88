"""The broker that the hub starts as a child for sites that have none: Mosquitto where installed, else amqtt."""
