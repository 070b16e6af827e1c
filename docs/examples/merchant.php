<?php
$klarna = getenv('KLARNA_URL') ?: 'http://127.0.0.1:8080';

if ($_SERVER['REQUEST_URI'] === '/klarna/place-order') {
    $callback = json_decode(file_get_contents('php://input'));
    $url = "$klarna/instantshopping/v1/authorizations/$callback->authorization_token/orders";
    $headers = ['Content-Type: application/json', 'Authorization: Basic ' . base64_encode('K123:secret')];
    $http = ['method' => 'POST', 'header' => $headers, 'content' => json_encode($callback->order)];
    $placed = json_decode(file_get_contents($url, false, stream_context_create(['http' => $http])));
    error_log("placed $placed->order_id");
}
